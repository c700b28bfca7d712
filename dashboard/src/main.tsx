import { StrictMode, Suspense, lazy } from 'react'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from '@tanstack/react-router'
import '@fontsource-variable/inter/wght.css'
import { LoggedIn } from './api/session.tsx'
import { router } from './routes.tsx'
import { applyTheme } from './state/theme.ts'
import './style/tokens.css'
import './style/base.css'
import './style/frame.css'
import './style/popover.css'
import './style/palette.css'
import './style/card.css'
import './style/table.css'
import './style/chart.css'
import './style/funnel.css'
import './style/overview.css'
import './style/connect.css'
import './style/editor.css'
import './style/journeys.css'
import './style/explore.css'
import './style/elements.css'
import './style/people.css'
import './style/alerts.css'
import './style/system.css'
import './style/forms.css'
import './style/shared.css'

const SharedPage = lazy(() => import('./shared/shared-page.tsx'))

applyTheme()
const [, kind, link] = /^\/(share|embed)\/([^/]+)$/.exec(location.pathname) ?? []
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    {link === undefined ? (
      <LoggedIn>
        <RouterProvider router={router} />
      </LoggedIn>
    ) : (
      <Suspense fallback={null}>
        <SharedPage id={link} inFrame={kind === 'embed'} />
      </Suspense>
    )}
  </StrictMode>,
)

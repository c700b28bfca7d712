import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { LoggedIn } from './api/session.tsx'
import { Frame } from './frame.tsx'
import './style/colors.css'
import './style/base.css'
import './style/frame.css'
import './style/card.css'
import './style/table.css'
import './style/funnel.css'
import './style/forms.css'

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <LoggedIn>
      <Frame />
    </LoggedIn>
  </StrictMode>,
)

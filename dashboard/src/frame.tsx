import { lazy, Suspense, type ReactNode } from 'react'
import type { Apps } from '@hopper/contracts'
import { useReport } from './api/use-report.ts'
import { NavigationBar } from './parts/navigation-bar.tsx'
import { Loading } from './parts/loading.tsx'
import { ReportView } from './parts/report-view.tsx'
import { Toolbar } from './parts/toolbar.tsx'
import { includesToday, resolveRange } from './state/date-range.ts'
import type { AppView, Scope } from './state/scope.ts'
import { useToday } from './state/use-today.ts'
import { useView } from './state/use-view.ts'

const OverviewPage = lazy(() => import('./pages/overview-page.tsx'))
const FunnelPage = lazy(() => import('./pages/funnel-page.tsx'))
const ElementsPage = lazy(() => import('./pages/elements-page.tsx'))
const SettingsPage = lazy(() => import('./pages/settings/settings-page.tsx'))
const StatusPage = lazy(() => import('./pages/status-page.tsx'))

/** The frame around the pages: member, app, range and page. */
export function Frame(): ReactNode {
  const apps = useReport<Apps>('/api/v1/apps')
  const { view } = useView()
  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <NavigationBar apps={apps.data?.apps ?? []} />
      <ReportView report={apps}>
        {({ apps: all }) => {
          const app = all.find(({ id }) => id === view.app) ?? (view.app === undefined ? all[0] : undefined)
          return app ? <Content key={app.id} app={app} /> : <NoApp name={view.app} />
        }}
      </ReportView>
    </>
  )
}

function Content({ app }: { app: AppView }): ReactNode {
  const { view } = useView()
  const today = useToday(app.timezone)
  const range = resolveRange(view.range, today)
  const scope: Scope = { app, range, live: includesToday(range, today), countBy: view.countBy }
  const reports = view.page !== 'settings' && view.page !== 'status'
  return (
    <main id="content" tabIndex={-1}>
      {reports && <Toolbar today={today} counts={view.page !== 'elements'} />}
      <Suspense fallback={<Loading />}>
        {view.page === 'overview' && <OverviewPage scope={scope} />}
        {view.page === 'funnel' && <FunnelPage scope={scope} />}
        {view.page === 'elements' && <ElementsPage scope={scope} />}
        {view.page === 'settings' && <SettingsPage app={app} />}
        {view.page === 'status' && <StatusPage timezone={app.timezone} />}
      </Suspense>
    </main>
  )
}

function NoApp({ name }: { name: string | undefined }): ReactNode {
  return (
    <main id="content" className="alone">
      <p className="nothing">
        {name === undefined
          ? 'There is no app yet. Add one with the API or a provision file.'
          : `There is no app "${name}", or you may not see it.`}
      </p>
    </main>
  )
}

import { useState, type ReactNode } from 'react'
import type { ElementActions } from '@hopper/contracts'
import { reportPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { Freshness } from '../../parts/freshness.tsx'
import { AppLink } from '../../parts/app-link.tsx'
import { ReportView } from '../../parts/report-view.tsx'
import { useScope } from '../../state/scope.tsx'
import { PageFrame } from '../../frame/page-frame.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { DurationsCard } from './durations-card.tsx'
import { ElementsCard } from './elements-card.tsx'
import { TwinsCard } from './twins-card.tsx'

/** Reports what people do at the interesting elements: leave or click, and after how long. */
export default function ElementsPage(): ReactNode {
  const scope = useScope()
  const { app, range, live } = scope
  const path = reportPath(app.id, 'elements/actions', range)
  const actions = useReport<ElementActions>(path, live)
  const [chosen, setChosen] = useState<string | null>(null)
  return (
    <PageFrame bar>
      <div className="page-head">
        <PageTitle app={app.name}>Elements</PageTitle>
        <Freshness meta={actions.data?.meta} />
      </div>
      <ReportView report={actions}>
        {({ rows }) => {
          const element = rows.find(({ xpath }) => xpath === chosen) ?? rows[0]
          if (!element) return <NoElement app={app.id} />
          return (
            <div className="cards">
              <TwinsCard changed={actions.reload} />
              <ElementsCard rows={rows} path={path} stale={actions.stale} />
              <DurationsCard scope={scope} rows={rows} element={element} choose={setChosen} />
            </div>
          )
        }}
      </ReportView>
    </PageFrame>
  )
}

function NoElement({ app }: { app: string }): ReactNode {
  return (
    <section className="card wide">
      <h2>No interesting elements yet</h2>
      <p>
        Name the buttons and links that matter, by their XPath, under{' '}
        <AppLink app={app} to="settings">
          Settings
        </AppLink>
        ; Hopper then counts who left and who clicked.
      </p>
    </section>
  )
}

import type { ReactNode } from 'react'
import type { ListedFunnel } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { AppLink } from '../../parts/app-link.tsx'
import { Card } from '../../parts/card.tsx'
import { AskButton } from '../../parts/buttons/ask-button.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { useChange } from '../../parts/use-change.ts'
import { PastProgress } from './past-progress.tsx'

const DELETION =
  'Its page, its alerts and its shared links stop working for everybody. Events stay: a new funnel with these stages ' +
  'counts them again.'

/** The funnels of an app, and where they are made and edited. */
export function FunnelsSettings({ app, mayChange }: { app: string; mayChange: boolean }): ReactNode {
  const { client } = useSession()
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(app, 'funnels'), true)
  const { error, run } = useChange(funnels.reload)
  const remove = (id: string): void =>
    void run(() => client.send('DELETE', appPath(app, `funnels/${encodeURIComponent(id)}`)))
  return (
    <Card title="Funnels" size="wide">
      {error && <Problem error={error} />}
      <ReportView report={funnels}>
        {({ funnels: all }) => (
          <ul className="list">
            {all.map(({ id, name, stages, past }) => (
              <li key={id}>
                <b>{name}</b> <code>{id}</code>{' '}
                <span className="hint">{stages.map((stage) => stage.name).join(' → ')}</span>
                <PastProgress past={past} />
                {mayChange && (
                  <span className="list-actions">
                    <AppLink app={app} to={`funnels/${encodeURIComponent(id)}/edit`} label={`Edit ${name}`}>
                      Edit
                    </AppLink>
                    <AskButton
                      label={`Delete the funnel ${name}`}
                      consequence={DELETION}
                      onConfirm={() => remove(id)}
                    />
                  </span>
                )}
              </li>
            ))}
          </ul>
        )}
      </ReportView>
      {mayChange && (
        <AppLink app={app} to="new-funnel">
          Add a funnel
        </AppLink>
      )}
    </Card>
  )
}

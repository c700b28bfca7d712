import { useState, type ReactNode } from 'react'
import type { Funnel, ListedFunnel } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { Card } from '../../parts/card.tsx'
import { ConfirmButton } from '../../parts/confirm-button.tsx'
import { Problem } from '../../parts/problem.tsx'
import { ReportView } from '../../parts/report-view.tsx'
import { useChange } from '../../parts/use-change.ts'
import type { SavedFunnel } from './funnel-draft.ts'
import { FunnelForm } from './funnel-form.tsx'
import { PastProgress } from './past-progress.tsx'

const empty: Funnel = { id: '', name: '', stages: [{ id: -1, name: '' }] }

/** The funnels of an app. */
export function FunnelsSettings({ app, mayChange }: { app: string; mayChange: boolean }): ReactNode {
  const { client } = useSession()
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(app, 'funnels'), true)
  const { error, busy, run } = useChange(funnels.reload)
  /** the id of the funnel in the form; '' for a new one */
  const [edited, setEdited] = useState<string | null>(null)
  const pathOf = (id: string): string => appPath(app, `funnels/${encodeURIComponent(id)}`)
  const save = async (funnel: SavedFunnel): Promise<void> => {
    const { name, stages } = funnel
    const done = await run(() =>
      edited
        ? client.send('PATCH', pathOf(edited), { name, stages })
        : client.send('POST', appPath(app, 'funnels'), funnel),
    )
    if (done) setEdited(null)
  }
  const form = (funnel: Funnel): ReactNode => (
    <FunnelForm funnel={funnel} busy={busy} save={(next) => void save(next)} cancel={() => setEdited(null)} />
  )
  return (
    <Card
      title="Funnels"
      size="wide"
      hint="People enter a stage by a page (a URL pattern, * matches anything) or by a click (a CSS selector)."
    >
      {error && <Problem error={error} />}
      <ReportView report={funnels}>
        {({ funnels: all }) => (
          <ul className="list">
            {all.map((funnel) => (
              <li key={funnel.id}>
                {edited === funnel.id ? (
                  form(funnel)
                ) : (
                  <>
                    <b>{funnel.name}</b> <code>{funnel.id}</code>{' '}
                    <span className="hint">{funnel.stages.map(({ name }) => name).join(' → ')}</span>
                    <PastProgress past={funnel.past} />
                    {mayChange && (
                      <span className="list-actions">
                        <button
                          type="button"
                          className="small"
                          aria-label={`Edit ${funnel.name}`}
                          onClick={() => setEdited(funnel.id)}
                        >
                          Edit
                        </button>
                        <ConfirmButton
                          label={`Delete ${funnel.name}`}
                          onConfirm={() => void run(() => client.send('DELETE', pathOf(funnel.id)))}
                        />
                      </span>
                    )}
                  </>
                )}
              </li>
            ))}
          </ul>
        )}
      </ReportView>
      {mayChange &&
        (edited === '' ? (
          form(empty)
        ) : (
          <button type="button" onClick={() => setEdited('')}>
            Add a funnel
          </button>
        ))}
    </Card>
  )
}

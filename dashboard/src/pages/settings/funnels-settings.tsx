import type { ReactNode } from 'react'
import type { Funnel, ListedFunnel } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { Card } from '../../parts/card.tsx'
import { Problem } from '../../parts/problem.tsx'
import { ReportView } from '../../parts/report-view.tsx'
import { AddItem, EditableItem, useListEditor } from './editable-list.tsx'
import type { SavedFunnel } from './funnel-draft.ts'
import { FunnelForm } from './funnel-form.tsx'
import { PastProgress } from './past-progress.tsx'

const empty: Funnel = { id: '', name: '', stages: [{ id: -1, name: '' }] }

/** The funnels of an app. */
export function FunnelsSettings({ app, mayChange }: { app: string; mayChange: boolean }): ReactNode {
  const { client } = useSession()
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(app, 'funnels'), true)
  const editor = useListEditor(funnels.reload)
  const { error, busy, edited } = editor
  const pathOf = (id: string): string => appPath(app, `funnels/${encodeURIComponent(id)}`)
  const save = (funnel: SavedFunnel): Promise<unknown> => {
    const { name, stages } = funnel
    return edited
      ? client.send('PATCH', pathOf(edited), { name, stages })
      : client.send('POST', appPath(app, 'funnels'), funnel)
  }
  const form = (funnel: Funnel): ReactNode => (
    <FunnelForm funnel={funnel} busy={busy} save={(next) => editor.save(() => save(next))} cancel={editor.cancel} />
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
              <EditableItem
                key={funnel.id}
                editor={editor}
                id={funnel.id}
                name={funnel.name}
                mayChange={mayChange}
                form={() => form(funnel)}
                remove={() => client.send('DELETE', pathOf(funnel.id))}
              >
                <code>{funnel.id}</code>{' '}
                <span className="hint">{funnel.stages.map(({ name }) => name).join(' → ')}</span>
                <PastProgress past={funnel.past} />
              </EditableItem>
            ))}
          </ul>
        )}
      </ReportView>
      {mayChange && <AddItem editor={editor} label="Add a funnel" form={() => form(empty)} />}
    </Card>
  )
}

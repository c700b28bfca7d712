import { useState, type FormEvent, type ReactNode } from 'react'
import { useBlocker, useNavigate } from '@tanstack/react-router'
import { useQueryClient } from '@tanstack/react-query'
import type { Funnel } from '@hopper/contracts'
import { appPath } from '../../../api/paths.ts'
import { useSession } from '../../../api/session.tsx'
import { PageTitle } from '../../../parts/page-title.tsx'
import { Problem } from '../../../parts/states/problem.tsx'
import { useChange } from '../../../parts/use-change.ts'
import { useScope } from '../../../state/scope.tsx'
import { words } from '../../../words.ts'
import { draftOf, funnelOf, withNewStage, type FunnelDraft } from './funnel-draft.ts'
import { EditorStages } from './editor-stages.tsx'
import { idOf, type Suggestion } from './suggestions.ts'
import { Preview } from './preview.tsx'
import { SeenList } from './seen-list.tsx'

interface Props {
  /** the funnel that is edited; none makes a new one */
  funnel?: Funnel
  /** what the form begins with */
  draft: FunnelDraft
  taken: readonly string[]
}

/** Shows side by side what was seen, the stages, and how many people of the past they have. */
export function FunnelEditor({ funnel, draft: first, taken }: Props): ReactNode {
  const { app } = useScope()
  const { client } = useSession()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const [draft, setDraft] = useState(first)
  const { error, busy, run } = useChange(() => undefined)
  const { editor } = words.funnels
  const isChanged = JSON.stringify(funnelOf(draft)) !== JSON.stringify(funnelOf(funnel ? draftOf(funnel) : first))
  const [isSaved, setSaved] = useState(false)
  useBlocker({
    shouldBlockFn: () => isChanged && !isSaved && !confirm(editor.leave),
    enableBeforeUnload: () => isChanged && !isSaved,
  })
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const saved = funnelOf({ ...draft, id: funnel ? draft.id : idOf(draft.name, taken) })
    const path = appPath(app.id, 'funnels')
    const isDone = await run(() =>
      funnel
        ? client.send('PATCH', `${path}/${encodeURIComponent(saved.id)}`, { name: saved.name, stages: saved.stages })
        : client.send('POST', path, saved),
    )
    if (!isDone) return
    setSaved(true)
    await queries.invalidateQueries()
    await navigate({
      to: '/a/$app/funnels/$funnel',
      params: { app: app.id, funnel: saved.id },
      search: (before: object) => before,
      ignoreBlocker: true,
    })
  }
  const add = ({ name, url, click }: Suggestion): void =>
    setDraft((before) =>
      withNewStage(before, { name, by: click === undefined ? 'url' : 'click', pattern: click ?? url ?? '' }),
    )
  return (
    <form className="editor" onSubmit={(event) => void submit(event)}>
      <div className="page-head">
        <PageTitle app={app.name}>{funnel ? editor.editTitle(funnel.name) : editor.newTitle}</PageTitle>
        <div className="end">
          <button type="submit" className="primary" disabled={busy || draft.stages.length === 0}>
            {editor.save}
          </button>
        </div>
      </div>
      {error && <Problem error={error} />}
      <label className="editor-name">
        {editor.name}
        <input
          value={draft.name}
          maxLength={200}
          required
          onChange={(event) => setDraft({ ...draft, name: event.target.value })}
        />
      </label>
      <div className="editor-panes">
        <SeenList add={add} />
        <EditorStages draft={draft} change={setDraft} />
        <Preview draft={draft} />
      </div>
    </form>
  )
}

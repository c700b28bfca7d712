import type { ReactNode } from 'react'
import { appPath } from '../../../api/paths.ts'
import { CopyButton } from '../../../parts/buttons/copy-button.tsx'
import { useScope } from '../../../state/scope.tsx'
import { words } from '../../../words.ts'
import { WINDOW_DAYS } from '../funnel-head.tsx'
import { curlOf, peopleQuestion } from '../funnel-question.ts'
import type { PanelProps } from './panel-props.ts'

/** People of a page of the call that is shown. */
const PAGE_ROWS = 1_000

/** Defines a number in a sentence, and shows the call that returns it. */
export function DefinitionTab({ funnel, rows, of }: PanelProps): ReactNode {
  const scope = useScope()
  const { panel } = words.funnels
  const { name } = rows[of.stage - 1]!
  const before = rows[of.stage - 2]?.name ?? ''
  const curl = curlOf(
    location.origin,
    appPath(scope.app.id, 'people/query'),
    peopleQuestion(scope, funnel.id, of, PAGE_ROWS),
  )
  return (
    <div className="definition">
      {of.outcome === 'reached' && <p>{panel.whatReached(name, WINDOW_DAYS)}</p>}
      {of.outcome !== 'reached' && <p>{panel.whatDropped(before, name)}</p>}
      {of.outcome !== 'reached' && of.outcome !== 'dropped' && <p>{panel.whatCause[of.outcome](name)}</p>}
      <h3>{panel.sameQuestion}</h3>
      <pre tabIndex={0}>{curl}</pre>
      <p className="hint">{words.funnels.curlHint}</p>
      <CopyButton text={() => curl}>{panel.copyCurl}</CopyButton>
    </div>
  )
}

import type { ReactNode } from 'react'
import { useShared } from '../../api/session.tsx'
import { formatCount } from '../../format/numbers.ts'
import { CopyButton } from '../../parts/buttons/copy-button.tsx'
import { words } from '../../words.ts'
import { curlOf } from '../funnels/funnel-question.ts'
import { exploreWords } from './explore-words.ts'

/** A longer answer is cut on the page, since it can be copied without being shown in full. */
const LETTERS_SHOWN = 20_000

/** The question as a call of the API, and its answer; absent for readers of a shared view, who have no key. */
export function CallCard({ path, body, answer }: { path: string; body: object; answer: unknown }): ReactNode {
  const shared = useShared()
  if (shared) return null
  const curl = curlOf(location.origin, path, body)
  return (
    <details className="card explore-call">
      <summary>{exploreWords.call}</summary>
      <div className="row">
        <h3>{exploreWords.curl}</h3>
        <CopyButton text={() => curl}>{exploreWords.copyCurl}</CopyButton>
      </div>
      <pre tabIndex={0} aria-label={exploreWords.curl} role="region">
        {curl}
      </pre>
      <p className="hint">{words.funnels.curlHint}</p>
      {answer !== undefined && <Json json={JSON.stringify(answer, null, 2)} />}
    </details>
  )
}

function Json({ json }: { json: string }): ReactNode {
  return (
    <>
      <div className="row">
        <h3>{exploreWords.json}</h3>
        <CopyButton text={() => json}>{exploreWords.copyJson}</CopyButton>
      </div>
      {json.length > LETTERS_SHOWN && <p className="hint">{exploreWords.cut(formatCount(LETTERS_SHOWN))}</p>}
      <pre tabIndex={0} aria-label={exploreWords.json} role="region">
        {json.slice(0, LETTERS_SHOWN)}
      </pre>
    </>
  )
}

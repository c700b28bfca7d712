import type { ReactNode } from 'react'
import type { Element, ElementTwins } from '@hopper/contracts'
import { appPath, reportPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { formatDate } from '../../format/times.ts'
import { formatCount } from '../../format/numbers.ts'
import { Problem } from '../../parts/states/problem.tsx'
import { useChange } from '../../parts/use-change.ts'
import { shiftDate } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { elementWords } from './element-words.ts'

/** Number of days in which to look for elements that have vanished, and for their twins. */
const PAST_DAYS = 30

type Twin = ElementTwins['twins'][number]

/** Asks whether a new target of clicks is an element that is not clicked any more. Nothing while there is none. */
export function TwinsCard({ changed }: { changed: () => void }): ReactNode {
  const { app, today } = useScope()
  const { me } = useSession()
  const range = { from: shiftDate(today, 1 - PAST_DAYS), to: today }
  const report = useReport<ElementTwins>(reportPath(app.id, 'elements/twins', range))
  const twins = report.data?.twins ?? []
  if (twins.length === 0) return null
  return (
    <section className="card wide" aria-label={elementWords.twins.title}>
      <h2>{elementWords.twins.title}</h2>
      <ul className="list">
        {twins.map((twin) => (
          <TwinItem
            key={`${twin.xpath} ${twin.twin}`}
            twin={twin}
            mayChange={me.member.role !== 'viewer'}
            changed={() => {
              report.reload()
              changed()
            }}
          />
        ))}
      </ul>
    </section>
  )
}

function TwinItem({ twin, mayChange, changed }: { twin: Twin; mayChange: boolean; changed: () => void }): ReactNode {
  const { app } = useScope()
  const { client } = useSession()
  const { error, busy, run } = useChange(changed)
  const { xpath, name, last_clicked: last, appeared, hits } = twin
  /** Reads the element again before changing it, since a list in a request replaces the stored one. */
  const change = (changeOf: (element: Element) => Partial<Element>): void =>
    void run(async () => {
      const { elements } = await client.get<{ elements: Element[] }>(appPath(app.id, 'elements'))
      const element = elements.find((each) => each.xpath === xpath)
      if (element) await client.send('PATCH', appPath(app.id, 'elements', { xpath }), changeOf(element))
    })
  return (
    <li>
      <p>
        <b>{name}</b> {elementWords.twins.question(formatDate(last), formatDate(appeared), formatCount(hits))}
      </p>
      <p>
        <code>{xpath}</code> → <code>{twin.twin}</code>
      </p>
      {error && <Problem error={error} />}
      {mayChange && (
        <span className="list-actions">
          <button
            type="button"
            className="small"
            disabled={busy}
            aria-label={elementWords.twins.linkOf(name)}
            onClick={() =>
              change(({ past_xpaths: past = [] }) => ({ xpath: twin.twin, past_xpaths: [...past, xpath] }))
            }
          >
            {elementWords.twins.link}
          </button>
          <button
            type="button"
            className="small"
            disabled={busy}
            aria-label={elementWords.twins.otherOf(name)}
            onClick={() => change(({ not_twins: others = [] }) => ({ not_twins: [...others, twin.twin] }))}
          >
            {elementWords.twins.other}
          </button>
        </span>
      )}
    </li>
  )
}

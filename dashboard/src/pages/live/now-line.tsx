import { useMemo, type ReactNode } from 'react'
import { peopleByPage, useNowOnPages } from '../../api/use-now.ts'
import { formatCount } from '../../format/numbers.ts'
import { pageNames } from '../../format/pages.ts'
import { MiddleCut } from '../../parts/middle-cut.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { pageText } from './event-facts.ts'
import { liveWords } from './live-words.ts'

const PAGES_SHOWN = 4

/** How many people are on the site now, and on which pages; a press on a page searches for it. */
export function NowLine({ search }: { search: (page: string) => void }): ReactNode {
  const { app } = useScope()
  const now = useNowOnPages(app.id)
  const pages = useMemo(() => peopleByPage(now?.views ?? []), [now])
  const nameOf = pageNames(pages.map(([page]) => page))
  const { now: text } = liveWords
  if (!now)
    return (
      <div className="now">
        <Skeleton height={24} width={320} />
      </div>
    )
  if (now.inThirty === 0) return <p className="now hint">{text.nobody}</p>
  return (
    <section className="now" aria-label={text.label}>
      <p>
        <b className="tnum">{formatCount(now.inFive)}</b> {words.units.person.of(now.inFive)} {text.inFive},{' '}
        <b className="tnum">{formatCount(now.inThirty)}</b> {text.inThirty}
      </p>
      {pages.length > 0 && (
        <ul aria-label={text.on}>
          <li className="hint" aria-hidden="true">
            {text.on}
          </li>
          {pages.slice(0, PAGES_SHOWN).map(([page, people]) => (
            <li key={page}>
              <button type="button" className="small" onClick={() => search(nameOf(page))}>
                <MiddleCut text={pageText(nameOf(page))} title={page} />
                <span className="tnum">
                  {formatCount(people)}
                  <span className="unseen">{text.search}</span>
                </span>
              </button>
            </li>
          ))}
          {pages.length > PAGES_SHOWN && <li className="hint">{text.more(formatCount(pages.length - PAGES_SHOWN))}</li>}
        </ul>
      )}
    </section>
  )
}

import { useMemo, useState, type ReactNode } from 'react'
import { Plus } from 'lucide-react'
import type { Clicks, Element, PageViews } from '@hopper/contracts'
import { appPath, reportPath } from '../../../api/paths.ts'
import { useReport } from '../../../api/use-report.ts'
import { formatCount } from '../../../format/numbers.ts'
import { Icon } from '../../../parts/icon.tsx'
import { MiddleCut } from '../../../parts/middle-cut.tsx'
import { shiftDate } from '../../../state/date-range.ts'
import { useScope } from '../../../state/scope.tsx'
import { SearchField } from '../../../parts/search-field.tsx'
import { words } from '../../../words.ts'
import { suggestions, type Suggestion } from './suggestions.ts'

/** Days of which pages and elements are suggested, and on which a draft is tried. */
export const PAST_DAYS = 30
const SHOWN = 60

/** Pages and elements that were seen: a press makes one the next stage. */
export function SeenList({ add }: { add: (suggestion: Suggestion) => void }): ReactNode {
  const { app, today } = useScope()
  const [search, setSearch] = useState('')
  const range = { from: shiftDate(today, 1 - PAST_DAYS), to: today }
  const pages = useReport<PageViews>(reportPath(app.id, 'pages/views', range)).data?.rows
  const clicks = useReport<Clicks>(reportPath(app.id, 'clicks', range)).data?.rows
  const elements = useReport<{ elements: Element[] }>(appPath(app.id, 'elements')).data?.elements
  const all = useMemo(
    () => suggestions({ pages: pages ?? [], clicks: clicks ?? [], elements: elements ?? [] }),
    [pages, clicks, elements],
  )
  const { editor } = words.funnels
  const wanted = search.trim().toLowerCase()
  const found = all.filter(({ name, click = '' }) => `${name} ${click}`.toLowerCase().includes(wanted)).slice(0, SHOWN)
  return (
    <section className="card" aria-label={editor.seen}>
      <h2>{editor.seen}</h2>
      <SearchField label={editor.search} value={search} set={setSearch} />
      <div className="options seen">
        {found.map((one) => (
          <button key={`${one.url ?? ''} ${one.click ?? ''}`} type="button" onClick={() => add(one)}>
            <Icon of={Plus} />
            <span className="unseen">{editor.addStage}</span>
            <MiddleCut text={one.name} />
            <small className="end tnum">
              {one.click === undefined ? editor.views(formatCount(one.count)) : editor.clicks(formatCount(one.count))}
            </small>
          </button>
        ))}
        {found.length === 0 && pages && <p className="nothing">{editor.noneSeen}</p>}
      </div>
    </section>
  )
}

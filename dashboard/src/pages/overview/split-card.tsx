import { useMemo, useState, type ReactNode } from 'react'
import { useFunnel } from '../../api/use-funnel.ts'
import { countryName } from '../../format/countries.ts'
import { formatCount, formatPercent } from '../../format/numbers.ts'
import { useChips } from '../../frame/filter-chips.tsx'
import { BarsFill } from '../../parts/bars-fill.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { chipOf } from '../../state/filters.ts'
import { useScope } from '../../state/scope.tsx'
import { keyName, valueName, words } from '../../words.ts'
import { peopleQuestion } from './people-question.ts'

const FIRST = 7

/** People by the values of a property; several properties are tabs. Each row filters the whole page. */
export function SplitCard({ title, keys }: { title: string; keys: readonly [string, ...string[]] }): ReactNode {
  const scope = useScope()
  const { app, range, live } = scope
  const [key, setKey] = useState(keys[0])
  const [all, setAll] = useState(false)
  const report = useFunnel(
    app.id,
    useMemo(() => peopleQuestion(scope, range, { breakdown: key }), [scope, range, key]),
    live,
  )
  return (
    <section className="card third" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {keys.length > 1 && (
          <div className="switch" role="group" aria-label={title}>
            {keys.map((one) => (
              <button key={one} type="button" aria-pressed={one === key} onClick={() => setKey(one)}>
                {words.overview.tabs[one] ?? keyName(one)}
              </button>
            ))}
          </div>
        )}
      </header>
      <ReportView report={report} skeleton={<Skeleton height={FIRST * 32} />}>
        {({ breakdown = [], total }) => (
          <>
            <ul className="bars" title={words.overview.filterHint}>
              {breakdown.slice(0, all ? undefined : FIRST).map((row, index) => (
                <SplitRow key={index} keyName={key} row={row} all={total} />
              ))}
            </ul>
            {breakdown.length > FIRST && (
              <button type="button" className="quiet" onClick={() => setAll(!all)}>
                {all ? words.overview.showFirst(String(FIRST)) : words.overview.showAll(formatCount(breakdown.length))}
              </button>
            )}
          </>
        )}
      </ReportView>
    </section>
  )
}

/** Returns the name of a value: a country has one beside its code. */
function nameOf(key: string, value: RowProps['row']['value']): string {
  return key === 'country' && typeof value === 'string' ? countryName(value) : valueName(value)
}

interface RowProps {
  keyName: string
  row: { readonly value: string | number | boolean | null; readonly total: number; readonly other?: boolean }
  all: number
}

function SplitRow({ keyName, row: { value, total, other }, all }: RowProps): ReactNode {
  const { add, isLocked } = useChips()
  const chip = other || isLocked ? undefined : chipOf(keyName, value)
  const name = other ? words.other : nameOf(keyName, value)
  return (
    <li>
      <BarsFill share={all === 0 ? 0 : total / all} />
      {chip ? (
        <button
          type="button"
          className="cut"
          onClick={(event) => add(event.metaKey || event.ctrlKey ? { ...chip, not: true } : chip)}
        >
          <bdi>{name}</bdi>
        </button>
      ) : (
        <span className="cut">
          <bdi>{name}</bdi>
        </span>
      )}
      <span className="tnum">{formatCount(total)}</span>
      <small className="tnum">{formatPercent(all === 0 ? null : total / all)}</small>
    </li>
  )
}

import { Suspense, lazy, useMemo, type ReactNode } from 'react'
import { Columns3 } from 'lucide-react'
import type { EventResult, Meta } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useLongQuery } from '../../api/use-funnel.ts'
import { formatCount } from '../../format/numbers.ts'
import { formatDates, formatInstant } from '../../format/times.ts'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { Icon } from '../../parts/icon.tsx'
import { PopoverButton } from '../../parts/buttons/popover-button.tsx'
import { QueryProgress } from '../../parts/states/query-progress.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { SaveButton } from '../../parts/buttons/save-button.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { keyName } from '../../words.ts'
import { CallCard } from './call-card.tsx'
import type { QuestionScope } from './count-view.tsx'
import { csvOf } from './csv-of-rows.ts'
import { COLUMNS_MAX, columnsOfEvents, eventsQuestion } from './explore-question.ts'
import { exploreWords } from './explore-words.ts'

const KeyList = lazy(async () => ({ default: (await import('../../frame/filter-popover.tsx')).KeyList }))
const FIRST = 50

type EventAnswer = EventResult & { readonly meta: Meta }
type Row = Readonly<Record<string, unknown>>

/** The events themselves, with the columns that the address names. */
export function EventsView({ questionScope }: { questionScope: QuestionScope }): ReactNode {
  const { app, live, range } = useScope()
  const { search } = useSearchState()
  const columns = search.cols ?? columnsOfEvents
  const body = useMemo(() => eventsQuestion(questionScope, search.what, columns), [questionScope, search.what, columns])
  const path = appPath(app.id, 'query')
  const report = useLongQuery<EventAnswer>(path, body, live)
  return (
    <div className="explore-answer">
      <QueryProgress report={report} />
      <ReportView report={report} skeleton={<Skeleton height={320} />}>
        {({ data }) => {
          const { events = [], count } = data[0]!
          return (
            <section className="card wide" aria-label={exploreWords.events}>
              <header>
                <p className="explore-total">
                  <b className="tnum">{formatCount(count)}</b> {exploreWords.events.toLowerCase()}{' '}
                  {count > events.length && (
                    <span className="hint">
                      {exploreWords.firstEvents(formatCount(events.length), formatCount(count))}
                    </span>
                  )}
                </p>
                <div className="card-actions">
                  <ColumnsButton columns={columns} />
                  <SaveButton csv={() => Promise.resolve(csvOf(columns, events))} name="events" />
                </div>
              </header>
              <DataTable<readonly [number, Row]>
                caption={exploreWords.eventRows}
                columns={columns.map((key) => columnOf(key, app.timezone))}
                rows={events.map((row, index) => [index, row] as const)}
                rowKey={([index]) => String(index)}
                first={FIRST}
                empty={exploreWords.nothing(formatDates(range.from, range.to))}
              />
            </section>
          )
        }}
      </ReportView>
      <CallCard path={path} body={body} answer={report.data} />
    </div>
  )
}

function ColumnsButton({ columns }: { columns: readonly string[] }): ReactNode {
  const { change } = useSearchState()
  const toggle = (key: string): void => {
    const next = columns.includes(key) ? columns.filter((one) => one !== key) : [...columns, key].slice(-COLUMNS_MAX)
    change({ cols: next.length === 0 ? undefined : next })
  }
  return (
    <PopoverButton
      className="small"
      label={exploreWords.columns}
      button={
        <>
          <Icon of={Columns3} /> {exploreWords.columns}
        </>
      }
    >
      {() => (
        <>
          <p className="hint">{exploreWords.addColumn}</p>
          <ul className="explore-columns">
            {columns.map((key) => (
              <li key={key}>
                <button type="button" className="small" aria-pressed onClick={() => toggle(key)}>
                  {keyName(key)}
                </button>
              </li>
            ))}
          </ul>
          <Suspense fallback={<Skeleton height={280} width={240} />}>
            <KeyList choose={toggle} />
          </Suspense>
        </>
      )}
    </PopoverButton>
  )
}

function columnOf(key: string, timezone: string): Column<readonly [number, Row]> {
  return {
    name: keyName(key),
    value: ([, row]) =>
      key === 'timestamp' && typeof row[key] === 'number' ? formatInstant(timezone, row[key]) : textOf(row[key]),
  }
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

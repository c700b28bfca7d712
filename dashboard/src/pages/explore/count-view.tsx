import { useMemo, type ReactNode } from 'react'
import type { FunnelAnswer } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useFunnel } from '../../api/use-funnel.ts'
import { LineChart } from '../../charts/line-chart.tsx'
import { LineLegend } from '../../charts/line-legend.tsx'
import { formatCount, formatPercent } from '../../format/numbers.ts'
import { formatDates, formatStep, formatTick } from '../../format/times.ts'
import { BarsFill } from '../../parts/bars-fill.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { QueryCsvButton } from '../../parts/buttons/query-csv-button.tsx'
import { QueryProgress } from '../../parts/states/query-progress.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { trendStep } from '../../state/date-range.ts'
import { chipOf } from '../../state/filters.ts'
import { useScope, type Scope } from '../../state/scope.tsx'
import type { Search, Unit } from '../../state/search.ts'
import { useSearchState } from '../../state/use-search.ts'
import { keyName, words } from '../../words.ts'
import { CallCard } from './call-card.tsx'
import { nameOf } from './event-button.tsx'
import { LINES_SHOWN, countQuestion } from './explore-question.ts'
import { exploreWords } from './explore-words.ts'

type Row = NonNullable<FunnelAnswer['breakdown']>[number]
export type QuestionScope = Pick<Scope, 'filters' | 'unit' | 'range'>

/** Shows how many people had an event: as a number, by a property, over time. */
export function CountView({ questionScope }: { questionScope: QuestionScope }): ReactNode {
  const { app, live, unit, range } = useScope()
  const { search } = useSearchState()
  const { what, by } = search
  const body = useMemo(
    () =>
      countQuestion(questionScope, what, {
        ...(by === undefined ? {} : { breakdown: by }),
        trend: trendStep(questionScope.range),
      }),
    [questionScope, what, by],
  )
  const report = useFunnel(app.id, body, live)
  const path = appPath(app.id, 'funnels/query')
  return (
    <div className="explore-answer">
      <QueryProgress report={report} />
      <ReportView report={report} skeleton={<Skeleton height={320} />}>
        {(answer) =>
          answer.total === 0 ? (
            <section className="card empty">
              <h2>{exploreWords.nothing(formatDates(range.from, range.to))}</h2>
              <p>{exploreWords.nothingHint}</p>
            </section>
          ) : (
            <section className="card wide" aria-label={exploreWords.shownAs[search.as ?? 'table']}>
              <header>
                <p className="explore-total">
                  <b className="tnum">{formatCount(answer.total)}</b> {words.units[unit].of(answer.total)}{' '}
                  <span className="hint">
                    <bdi>{exploreWords.whoHad(nameOf(what) ?? exploreWords.anyEvent)}</bdi>
                  </span>
                </p>
                <QueryCsvButton
                  path={path}
                  body={body}
                  name="explore"
                  picture={
                    search.as === 'line' || search.as === 'bar'
                      ? { of: 'explore', title: titleOf(unit, search) }
                      : undefined
                  }
                />
              </header>
              {search.as === 'line' ? (
                <Lines questionScope={questionScope} answer={answer} />
              ) : search.as === 'bar' ? (
                <Bars answer={answer} />
              ) : (
                <Table answer={answer} />
              )}
            </section>
          )
        }
      </ReportView>
      <CallCard path={path} body={body} answer={report.data} />
    </div>
  )
}

/** The rows of a breakdown; without one, the days or weeks. */
function Table({ answer }: { answer: FunnelAnswer }): ReactNode {
  const { app, unit, range } = useScope()
  const { search } = useSearchState()
  if (answer.breakdown)
    return (
      <DataTable
        caption={exploreWords.by}
        columns={[
          { name: keyName(search.by ?? ''), value: valueName },
          { name: words.units[unit].name, value: ({ total }) => formatCount(total), numeric: true },
          { name: exploreWords.share, value: ({ total }) => formatPercent(total / answer.total), numeric: true },
        ]}
        rows={answer.breakdown}
        rowKey={rowKey}
        first={30}
      />
    )
  const columns: Column<NonNullable<FunnelAnswer['trend']>[number]>[] = [
    {
      name: trendStep(range) === 'day' ? words.funnels.day : words.funnels.week,
      value: ({ time }) => formatStep(app.timezone, time, 'day'),
    },
    { name: words.units[unit].name, value: ({ total }) => formatCount(total), numeric: true },
  ]
  return (
    <DataTable
      caption={exploreWords.date}
      columns={columns}
      rows={[...(answer.trend ?? [])].reverse()}
      rowKey={({ time }) => String(time)}
      first={31}
    />
  )
}

function Bars({ answer }: { answer: FunnelAnswer }): ReactNode {
  const rows: readonly Pick<Row, 'value' | 'total' | 'other'>[] = answer.breakdown ?? [
    { value: exploreWords.total, total: answer.total },
  ]
  const most = Math.max(...rows.map(({ total }) => total))
  return (
    <ul className="bars explore-bars" data-picture="explore">
      {rows.slice(0, 30).map((row) => (
        <li key={rowKey(row)}>
          <BarsFill share={row.total / most} />
          <span className="cut">
            <bdi>{valueName(row)}</bdi>
          </span>
          <span className="tnum">{formatCount(row.total)}</span>
          <small className="tnum">{formatPercent(row.total / answer.total)}</small>
        </li>
      ))}
    </ul>
  )
}

const colors = ['--blue', '--teal', '--amber', '--violet', '--pink'] as const

/** The days or weeks as a line, of a breakdown a line for each of the values that most people have. */
function Lines({ questionScope, answer }: { questionScope: QuestionScope; answer: FunnelAnswer }): ReactNode {
  const { app, live, range, unit } = useScope()
  const { search } = useSearchState()
  const { by, what } = search
  const step = trendStep(range)
  const chips = useMemo(
    () =>
      (by === undefined ? [] : (answer.breakdown ?? []))
        .flatMap(({ value, other }) => (other ? [] : [chipOf(by!, value)]))
        .filter((chip) => chip !== undefined)
        .slice(0, LINES_SHOWN),
    [by, answer],
  )
  const bodies = useMemo(
    () =>
      Array.from({ length: LINES_SHOWN }, (_, index) =>
        chips[index] ? countQuestion(questionScope, what, { trend: step, only: chips[index] }) : null,
      ),
    [questionScope, what, step, chips],
  )
  const reports = [
    useFunnel(app.id, bodies[0]!, live),
    useFunnel(app.id, bodies[1]!, live),
    useFunnel(app.id, bodies[2]!, live),
    useFunnel(app.id, bodies[3]!, live),
    useFunnel(app.id, bodies[4]!, live),
  ]
  const trend = answer.trend ?? []
  const lines =
    by === undefined
      ? [{ name: words.units[unit].name, color: colors[0], values: trend.map(({ total }) => total) }]
      : chips.map(({ value }, index) => ({
          name: value,
          color: colors[index]!,
          values: trend.map(({ time }) => reports[index]!.data?.trend?.find((one) => one.time === time)?.total ?? null),
        }))
  return (
    <div data-picture="explore">
      {by !== undefined && <LineLegend lines={lines} />}
      <LineChart
        label={`${nameOf(what) ?? exploreWords.anyEvent}: ${words.units[unit].name}`}
        lines={lines}
        ticks={trend.map(({ time }) => formatTick(app.timezone, time, 'day'))}
        titles={trend.map(({ time }) => formatStep(app.timezone, time, 'day'))}
        openFrom={trend.findLastIndex(({ settled }) => settled) + 1}
        format={formatCount}
        height={280}
      />
    </div>
  )
}

/** Describes what was counted, and by which property. */
function titleOf(unit: Unit, { what, by }: Search): string {
  const counted = `${words.units[unit].name} ${exploreWords.whoHad(nameOf(what) ?? exploreWords.anyEvent)}`
  return by === undefined ? counted : `${counted}, ${exploreWords.brokenDownBy(keyName(by).toLowerCase())}`
}

function valueName({ value, other }: Pick<Row, 'value' | 'other'>): string {
  if (other) return words.other
  return value === null || value === '' ? words.none : String(value)
}

function rowKey({ value, other }: Pick<Row, 'value' | 'other'>): string {
  return `${typeof value} ${String(value)} ${String(other ?? false)}`
}

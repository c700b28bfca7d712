import { useMemo, type ReactNode } from 'react'
import type { FunnelAnswer, ListedFunnel, Traffic } from '@hopper/contracts'
import { reportPath } from '../../api/paths.ts'
import { useFunnel } from '../../api/use-funnel.ts'
import { useShared } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { Sparkline } from '../../charts/line-chart.tsx'
import { NOTHING, formatChange, formatCount, formatPercent, formatPoints } from '../../format/numbers.ts'
import { AppLink } from '../../parts/app-link.tsx'
import { formatDates } from '../../format/times.ts'
import { daysOf, resolveCompare, shiftDate, trafficStep, trendStep, type DateRange } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { trendPoints } from '../funnels/trend.ts'
import { useFunnelPeriods } from './funnel-periods.ts'
import { peopleQuestion } from './people-question.ts'

interface Props {
  funnel?: ListedFunnel
  traffic?: Traffic
}

/** People, sessions, views and the rate of the main funnel, each with its change and its course. */
export function Headline({ funnel, traffic }: Props): ReactNode {
  const scope = useScope()
  const { app, range, live, unit } = scope
  const compared = scope.compared ?? resolveCompare('previous', range)
  const people = useCount('now', unit === 'session' ? 'person' : unit)
  const peopleBefore = useCount('before', unit === 'session' ? 'person' : unit)
  const sessions = useCount('now', 'session')
  const sessionsBefore = useCount('before', 'session')
  const starts = sessions?.trend ?? []
  const against = words.overview.vsPeriod(periodName(compared, range))
  const step = trafficStep(range)
  const isFiltered = scope.filters.length > 0
  const path = reportPath(app.id, 'traffic', compared, { by: step, count_by: scope.countBy })
  const before = useReport<Traffic>(useShared() && isFiltered ? null : path)
  const completeTo = traffic?.meta.complete_to ?? Infinity
  // hours and days to come are not zero, they are unknown
  const rows = (traffic?.rows ?? []).filter(({ time }) => Date.parse(time) <= completeTo)
  const openFrom = live ? Math.max(0, rows.length - 1) : rows.length
  return (
    <dl className="headline wide">
      <Number
        name={words.units[unit === 'session' ? 'person' : unit].name}
        now={people?.total}
        before={peopleBefore?.total}
        {...(isFiltered ? {} : { course: rows.map(({ users }) => users) })}
        openFrom={openFrom}
        against={against}
      />
      <Number
        name={words.overview.sessions}
        now={sessions?.total}
        before={sessionsBefore?.total}
        course={starts.map(({ total }) => total)}
        openFrom={live ? Math.max(0, starts.length - 1) : starts.length}
        against={against}
      />
      <Number
        name={words.overview.views}
        {...(isFiltered
          ? { hint: words.overview.unfiltered }
          : { now: traffic && viewsOf(traffic), before: before.data && viewsOf(before.data) })}
        {...(isFiltered ? {} : { course: rows.map(({ views }) => views) })}
        openFrom={openFrom}
        against={against}
      />
      {funnel && <Rate funnel={funnel} against={against} />}
    </dl>
  )
}

function useCount(period: 'now' | 'before', unit: 'person' | 'device' | 'session'): FunnelAnswer | undefined {
  const scope = useScope()
  const { app, range, live } = scope
  const question = useMemo(() => {
    const dates = period === 'now' ? range : (scope.compared ?? resolveCompare('previous', range))
    // a session is counted once, on the day on which it begins
    const trend = unit === 'session' && period === 'now' ? { trend: trendStep(dates) } : {}
    return peopleQuestion(scope, dates, { unit, ...trend })
  }, [scope, range, period, unit])
  return useFunnel(app.id, question, live && period === 'now').data
}

/** Names the period of the earlier number: the days before the range, or its dates. */
function periodName(compared: DateRange, range: DateRange): string {
  const days = daysOf(range)
  const isBefore = compared.to === shiftDate(range.from, -1) && daysOf(compared) === days
  return isBefore ? words.overview.daysBefore(days) : formatDates(compared.from, compared.to)
}

interface NumberProps {
  name: string
  now?: number | undefined
  before?: number | undefined
  course?: readonly number[] | undefined
  openFrom: number
  /** names the period of `before` */
  against: string
  hint?: string
}

function Number({ name, now, before, course, openFrom, against, hint }: NumberProps): ReactNode {
  const change = now === undefined || before === undefined ? null : formatChange(now, before)
  return (
    <div>
      <dt>{name}</dt>
      <dd className="large tnum">{now === undefined ? NOTHING : formatCount(now)}</dd>
      <dd className="hint tnum" title={before === undefined ? undefined : words.overview.vs(formatCount(before))}>
        {hint ??
          (change === null ? (
            now === undefined ? (
              '\u00a0'
            ) : (
              words.overview.noChange
            )
          ) : (
            <Change change={change} against={against} />
          ))}
      </dd>
      {course && course.length > 1 && (
        <dd className="course">
          <Sparkline values={course} openFrom={openFrom} />
        </dd>
      )}
    </div>
  )
}

function Change({ change, against }: { change: string; against: string }): ReactNode {
  return (
    <>
      <b>{change}</b> {against}
    </>
  )
}

function Rate({ funnel, against }: { funnel: ListedFunnel; against: string }): ReactNode {
  const { app, live } = useScope()
  const { question, before } = useFunnelPeriods(funnel.id)
  const now = useFunnel(app.id, question, live).data
  const was = useFunnel(app.id, before, false).data?.overall.rate
  const rate = now?.overall.rate
  const { points, openFrom } = trendPoints(now?.trend ?? [])
  return (
    <div>
      <dt>
        <AppLink app={app.id} to={`funnels/${encodeURIComponent(funnel.id)}`}>
          <bdi>{words.overview.conversion(funnel.name)}</bdi>
        </AppLink>
      </dt>
      <dd className="large tnum">{formatPercent(rate ?? null)}</dd>
      <dd className="hint tnum" title={words.overview.vs(formatPercent(was ?? null))}>
        {typeof rate === 'number' && typeof was === 'number' ? (
          <Change change={formatPoints(rate - was)} against={against} />
        ) : (
          words.overview.noChange
        )}
      </dd>
      {points.length > 1 && (
        <dd className="course">
          <Sparkline values={points.map((point) => point.rate ?? 0)} openFrom={openFrom} />
        </dd>
      )}
    </div>
  )
}

function viewsOf({ rows }: Traffic): number {
  return rows.reduce((sum, { views }) => sum + views, 0)
}

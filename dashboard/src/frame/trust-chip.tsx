import { lazy, Suspense, type ReactNode } from 'react'
import { ShieldCheck, ShieldQuestion } from 'lucide-react'
import type { Status } from '@hopper/contracts'
import { useReport } from '../api/use-report.ts'
import { formatCount, formatSeconds } from '../format/numbers.ts'
import { formatClock } from '../format/times.ts'
import { Icon } from '../parts/icon.tsx'
import { PopoverButton } from '../parts/buttons/popover-button.tsx'
import { Skeleton } from '../parts/states/skeleton.tsx'
import { daysOf, shiftDate, type DateRange } from '../state/date-range.ts'
import { useScope } from '../state/scope.tsx'
import { words } from '../words.ts'

const TrustPanel = lazy(() => import('./trust-panel.tsx'))
/** A day is settled when it ended this many days ago: the default window of a funnel. */
export const OPEN_DAYS = 7
/** A shorter lag is the ordinary time from ingest to the tables. */
const BEHIND_SECONDS = 5

/** Returns the number of days of a range that can still change. */
export function openDays(range: DateRange, today: string): number {
  const from = [range.from, shiftDate(today, -OPEN_DAYS)].sort()[1]!
  const to = [range.to, today].sort()[0]!
  return from > to ? 0 : daysOf({ from, to })
}

/** Describes in a few words up to when everything is counted and how many days can still change; opens the details. */
export function TrustChip(): ReactNode {
  const { app, range, today } = useScope()
  const { data } = useReport<Status>('/api/v1/status', true)
  const open = openDays(range, today)
  const isBehind = data !== undefined && data.lag.events > 0 && (data.lag.seconds ?? 0) > BEHIND_SECONDS
  const parts = data
    ? [
        isBehind
          ? words.trust.behind(formatSeconds(Math.round(data.lag.seconds ?? 0)), formatCount(data.lag.events))
          : data.complete_to === null
            ? words.trust.unknown
            : words.trust.complete(formatClock(app.timezone, data.complete_to)),
        open === 0 ? words.trust.settled : words.trust.openDays(open),
      ]
    : []
  const text = parts.join(' · ')
  return (
    <PopoverButton
      className={isBehind ? 'trust warn' : 'trust'}
      label={`${words.trust.title}: ${text}`}
      button={
        <>
          <Icon of={isBehind ? ShieldQuestion : ShieldCheck} />
          <span className="tnum">{text === '' ? ' ' : text}</span>
        </>
      }
    >
      {() => (
        <Suspense fallback={<Skeleton height={320} width={400} />}>
          <TrustPanel open={open} />
        </Suspense>
      )}
    </PopoverButton>
  )
}

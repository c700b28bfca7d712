import { lazy, Suspense, type ReactNode } from 'react'
import { CalendarDays, ChevronLeft, ChevronRight, GitCompareArrows } from 'lucide-react'
import { formatDates } from '../format/times.ts'
import { Icon } from '../parts/icon.tsx'
import { PopoverButton } from '../parts/buttons/popover-button.tsx'
import { Skeleton } from '../parts/states/skeleton.tsx'
import { rangeText, readCompare, readRange, shiftRange } from '../state/date-range.ts'
import { DEFAULT_RANGE, useScope } from '../state/scope.tsx'
import { useSearchState } from '../state/use-search.ts'
import { words } from '../words.ts'

const RangePopover = lazy(() => import('./range-popover.tsx'))
const DateChoice = lazy(() => import('./date-choice.tsx'))

/** The range as a button that opens presets, dates and a calendar, with a step back and forward beside it. */
export function RangeButton(): ReactNode {
  const { range } = useScope()
  const { search, change } = useSearchState()
  const choice = readRange(search.range ?? DEFAULT_RANGE)!
  const dates = formatDates(range.from, range.to)
  const name = 'preset' in choice ? words.bar.presets[choice.preset] : dates
  const shift = (by: number): void => change({ range: rangeText(shiftRange(range, by)) })
  return (
    <div className="joined" role="group" aria-label={words.bar.range}>
      <button type="button" aria-label={words.bar.earlier} title={`${words.bar.earlier} (←)`} onClick={() => shift(-1)}>
        <Icon of={ChevronLeft} />
      </button>
      <PopoverButton
        label={`${words.bar.range}: ${name}`}
        button={
          <>
            <Icon of={CalendarDays} />
            <span title={dates}>{name}</span>
          </>
        }
      >
        {(close) => (
          <Suspense fallback={<Skeleton height={300} width={320} />}>
            <RangePopover close={close} />
          </Suspense>
        )}
      </PopoverButton>
      <button type="button" aria-label={words.bar.later} title={`${words.bar.later} (→)`} onClick={() => shift(1)}>
        <Icon of={ChevronRight} />
      </button>
    </div>
  )
}

/** Selects the range that the chosen one is compared with. */
export function CompareButton(): ReactNode {
  const { compared } = useScope()
  const { search, change } = useSearchState()
  const choice = search.vs === undefined ? undefined : readCompare(search.vs)
  const dates = compared && formatDates(compared.from, compared.to)
  const choose = (vs: string | undefined, close: () => void): void => {
    change({ vs })
    close()
  }
  return (
    <PopoverButton
      label={`${words.bar.compare}: ${dates === undefined ? words.bar.noCompare : words.bar.comparedWith(dates)}`}
      button={
        <>
          <Icon of={GitCompareArrows} />
          {dates === undefined ? words.bar.compare : words.bar.comparedWith(dates)}
        </>
      }
    >
      {(close) => (
        <>
          <div className="options">
            <button type="button" aria-pressed={!choice} onClick={() => choose(undefined, close)}>
              {words.bar.noCompare}
            </button>
            <button type="button" aria-pressed={choice === 'previous'} onClick={() => choose('previous', close)}>
              {words.bar.previous}
            </button>
            <button type="button" aria-pressed={choice === 'year'} onClick={() => choose('year', close)}>
              {words.bar.year}
            </button>
          </div>
          <h3>{words.bar.own}</h3>
          <Suspense fallback={<Skeleton height={300} width={280} />}>
            <DateChoice
              {...(typeof choice === 'object' ? { range: choice } : {})}
              choose={(own) => choose(rangeText(own), close)}
            />
          </Suspense>
        </>
      )}
    </PopoverButton>
  )
}

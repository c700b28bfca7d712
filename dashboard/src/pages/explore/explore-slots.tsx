import { Suspense, lazy, type ReactNode } from 'react'
import { ChevronsUpDown } from 'lucide-react'
import { FilterChips } from '../../frame/filter-chips.tsx'
import { Icon } from '../../parts/icon.tsx'
import { PopoverButton } from '../../parts/buttons/popover-button.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { exploreForms } from '../../state/search.ts'
import { useSearchState } from '../../state/use-search.ts'
import { keyName } from '../../words.ts'
import { EventButton } from './event-button.tsx'
import { exploreWords } from './explore-words.ts'

const KeyList = lazy(async () => ({ default: (await import('../../frame/filter-popover.tsx')).KeyList }))

/** The four parts of a question: what, filter, break down, show as. */
export function ExploreSlots(): ReactNode {
  const { search, change } = useSearchState()
  const as = search.as ?? 'table'
  return (
    <section className="card explore-slots" aria-label={exploreWords.hint}>
      <div className="explore-slot">
        <span className="hint">{exploreWords.what}</span>
        <EventButton
          label={exploreWords.what}
          none={exploreWords.anyEvent}
          what={search.what}
          choose={(what) => change({ what })}
        />
      </div>
      <div className="explore-slot">
        <span className="hint">{exploreWords.filter}</span>
        <div className="row">
          <FilterChips />
        </div>
      </div>
      {as !== 'events' && (
        <div className="explore-slot">{as === 'retention' ? <RetentionSlot /> : <BreakdownSlot />}</div>
      )}
      <div className="explore-slot">
        <span className="hint">{exploreWords.as}</span>
        <div className="switch explore-forms" role="group" aria-label={exploreWords.as}>
          {exploreForms.map((form) => (
            <button
              key={form}
              type="button"
              aria-pressed={form === as}
              onClick={() => change({ as: form === 'table' ? undefined : form })}
            >
              {exploreWords.shownAs[form]}
            </button>
          ))}
        </div>
      </div>
    </section>
  )
}

function BreakdownSlot(): ReactNode {
  const { search, change } = useSearchState()
  const name = search.by === undefined ? exploreWords.noBreakdown : keyName(search.by)
  return (
    <>
      <span className="hint">{exploreWords.by}</span>
      <PopoverButton
        className="place-button"
        label={`${exploreWords.by}: ${name}`}
        button={
          <>
            <bdi className="cut">{name}</bdi>
            <Icon of={ChevronsUpDown} />
          </>
        }
      >
        {(close) => {
          const choose = (by: string | undefined): void => {
            close()
            change({ by })
          }
          return (
            <>
              <Suspense fallback={<Skeleton height={280} width={240} />}>
                <KeyList choose={choose} />
              </Suspense>
              <button type="button" className="small" onClick={() => choose(undefined)}>
                {exploreWords.byNothing}
              </button>
            </>
          )
        }}
      </PopoverButton>
    </>
  )
}

function RetentionSlot(): ReactNode {
  const { search, change } = useSearchState()
  const each = search.each ?? 'week'
  return (
    <>
      <span className="hint">{exploreWords.again}</span>
      <div className="row">
        <EventButton
          label={exploreWords.again}
          none={exploreWords.sameEvent}
          what={search.again}
          choose={(again) => change({ again })}
        />
        <div className="switch" role="group" aria-label={exploreWords.each}>
          {(['day', 'week'] as const).map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={each === one}
              onClick={() => change({ each: one === 'day' ? 'day' : undefined })}
            >
              {exploreWords[one]}
            </button>
          ))}
        </div>
      </div>
    </>
  )
}

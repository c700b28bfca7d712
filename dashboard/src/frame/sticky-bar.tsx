import type { ReactNode } from 'react'
import { useShared } from '../api/session.tsx'
import { SharedBar } from '../shared/shared-frame.tsx'
import { useScope } from '../state/scope.tsx'
import { units, type Unit } from '../state/search.ts'
import { useSearchState } from '../state/use-search.ts'
import { PopoverButton } from '../parts/buttons/popover-button.tsx'
import { words } from '../words.ts'
import { CompareButton, RangeButton } from './range-buttons.tsx'
import { FilterChips } from './filter-chips.tsx'
import { useRangeKeys } from './range-keys.ts'
import { TrustChip } from './trust-chip.tsx'

/** The question that the page answers: range, comparison, filters and unit; and how sure its numbers are. */
export function StickyBar(): ReactNode {
  const shared = useShared()
  return shared ? <SharedBar shared={shared} /> : <MemberBar />
}

function MemberBar(): ReactNode {
  useRangeKeys()
  return (
    <div className="sticky" role="region" aria-label={words.bar.label}>
      <div className="sticky-inner">
        <RangeButton />
        <CompareButton />
        <FilterChips />
        <div className="end">
          <UnitButton />
          <TrustChip />
        </div>
      </div>
    </div>
  )
}

function UnitButton(): ReactNode {
  const { unit } = useScope()
  const { change } = useSearchState()
  const choose = (next: Unit): void => change({ unit: next === 'person' ? undefined : next })
  return (
    <PopoverButton label={`${words.bar.unit}: ${words.units[unit].name}`} button={words.units[unit].name}>
      {(close) => (
        <div className="options">
          {units.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === unit}
              onClick={() => {
                choose(one)
                close()
              }}
            >
              {words.units[one].name}
            </button>
          ))}
        </div>
      )}
    </PopoverButton>
  )
}

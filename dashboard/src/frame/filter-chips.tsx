import { lazy, Suspense, type ReactNode } from 'react'
import { ListFilter, X } from 'lucide-react'
import { useShared } from '../api/session.tsx'
import { Icon } from '../parts/icon.tsx'
import { PopoverButton } from '../parts/buttons/popover-button.tsx'
import { useFocusHandover } from '../parts/buttons/use-focus-handover.ts'
import { Skeleton } from '../parts/states/skeleton.tsx'
import { chipText, withChip, withoutChip, type Chip } from '../state/filters.ts'
import { useScope } from '../state/scope.tsx'
import { useSearchState } from '../state/use-search.ts'
import { keyName, words } from '../words.ts'

const FilterPopover = lazy(() => import('./filter-popover.tsx'))

interface Chips {
  readonly add: (chip: Chip) => void
  readonly remove: (chip: Chip) => void
  /** true for the filters of a shared view, which nobody can change */
  readonly isLocked: boolean
}

/** Returns functions that add a filter to the question, or remove it. */
export function useChips(): Chips {
  const isLocked = useShared() !== undefined
  const { chips } = useScope()
  const { change } = useSearchState()
  const set = (next: readonly Chip[]): void => change({ f: next.length === 0 ? undefined : next.map(chipText) })
  return { add: (chip) => set(withChip(chips, chip)), remove: (chip) => set(withoutChip(chips, chip)), isLocked }
}

/** The filters as chips: a press on one includes or excludes its value. */
export function FilterChips(): ReactNode {
  const { chips } = useScope()
  const { add, remove } = useChips()
  return (
    <>
      {chips.map((chip) => (
        <FilterChip key={chipText(chip)} chip={chip} add={add} remove={remove} />
      ))}
      <PopoverButton
        label={words.bar.addFilter}
        button={
          <>
            <Icon of={ListFilter} />
            {words.bar.filter}
          </>
        }
      >
        {(close) => (
          <Suspense fallback={<Skeleton height={280} width={280} />}>
            <FilterPopover
              choose={(chip) => {
                add(chip)
                close()
              }}
            />
          </Suspense>
        )}
      </PopoverButton>
      <RobotsSwitch />
    </>
  )
}

function FilterChip({ chip, add, remove }: Pick<Chips, 'add' | 'remove'> & { chip: Chip }): ReactNode {
  const button = useFocusHandover()
  const name = `${keyName(chip.key)} ${chip.not ? words.bar.isNot : words.bar.is} ${chip.value}`
  return (
    <span className="chip">
      <button
        type="button"
        className="cut"
        title={words.bar.invert(name)}
        onClick={() => add({ key: chip.key, value: chip.value, ...(chip.not ? {} : { not: true }) })}
      >
        <bdi>{name}</bdi>
      </button>
      <button
        ref={button}
        type="button"
        className="remove"
        aria-label={words.bar.removeFilter(name)}
        onClick={() => remove(chip)}
      >
        <Icon of={X} />
      </button>
    </span>
  )
}

/** Shows robots in the numbers that filters apply to, or hides them. */
function RobotsSwitch(): ReactNode {
  const { robots } = useScope()
  const { change } = useSearchState()
  return (
    <button type="button" title={words.bar.robotsHint} onClick={() => change({ robots: robots ? undefined : 'shown' })}>
      {robots ? words.bar.robotsShown : words.bar.robotsHidden}
    </button>
  )
}

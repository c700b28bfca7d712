import type { ReactNode } from 'react'
import type { PageViews } from '@hopper/contracts'
import { ChevronsUpDown } from 'lucide-react'
import { Icon } from '../../parts/icon.tsx'
import { PopoverButton } from '../../parts/buttons/popover-button.tsx'
import { JOURNEY_DEPTH } from '../../state/search.ts'
import { useSearchState } from '../../state/use-search.ts'
import type { PageGroup, PlaceName } from './journey-places.ts'
import { noPanel } from './journey-question.ts'
import { journeyWords } from './journey-words.ts'
import { PlaceList } from './place-list.tsx'

interface Props {
  groups: readonly PageGroup[]
  pages: PageViews['rows']
  nameOf: PlaceName
}

const depths = Array.from({ length: JOURNEY_DEPTH.max - JOURNEY_DEPTH.min + 1 }, (_, n) => JOURNEY_DEPTH.min + n)

/** Where journeys start or end, how many places they have, and what a place is. */
export function JourneyControls({ groups, pages, nameOf }: Props): ReactNode {
  const { search, change } = useSearchState()
  const isBackward = search.start === undefined && search.end !== undefined
  const place = search.start ?? search.end
  const turn = (backward: boolean): void => {
    if (place !== undefined)
      change({ start: backward ? undefined : place, end: backward ? place : undefined, ...noPanel })
  }
  const name = place === undefined ? journeyWords.anywhere : nameOf({ value: place })
  return (
    <div className="row journey-controls">
      <div className="switch" role="group" aria-label={journeyWords.direction}>
        <button type="button" aria-pressed={!isBackward} onClick={() => turn(false)}>
          {journeyWords.forward}
        </button>
        <button type="button" aria-pressed={isBackward} disabled={place === undefined} onClick={() => turn(true)}>
          {journeyWords.backward}
        </button>
      </div>
      <PopoverButton
        className="place-button"
        label={`${isBackward ? journeyWords.backward : journeyWords.forward}: ${name}`}
        button={
          <>
            <bdi className="cut">{name}</bdi>
            <Icon of={ChevronsUpDown} />
          </>
        }
      >
        {(close) => (
          <PlaceList
            groups={groups}
            pages={pages}
            nameOf={nameOf}
            choose={(value) => {
              close()
              change({
                start: isBackward ? undefined : value,
                end: isBackward ? value : undefined,
                ...noPanel,
              })
            }}
          />
        )}
      </PopoverButton>
      <label className="inline">
        {journeyWords.depth}
        <select
          value={search.depth ?? JOURNEY_DEPTH.default}
          onChange={(event) => {
            const depth = Number(event.target.value)
            change({ depth: depth === JOURNEY_DEPTH.default ? undefined : depth, ...noPanel })
          }}
        >
          {depths.map((depth) => (
            <option key={depth}>{depth}</option>
          ))}
        </select>
      </label>
      <label className="inline">
        {journeyWords.places}
        <select
          value={search.places ?? 'groups'}
          onChange={(event) => {
            const places = (['each', 'events'] as const).find((one) => one === event.target.value)
            change({ places, start: undefined, end: undefined, ...noPanel })
          }}
        >
          {(['groups', 'each', 'events'] as const).map((one) => (
            <option key={one} value={one}>
              {journeyWords.placesAre[one]}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}

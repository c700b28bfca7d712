import { useEffect, useMemo, useRef, type ReactNode } from 'react'
import { useElementScrollRestoration } from '@tanstack/react-router'
import { useVirtualizer, type VirtualItem } from '@tanstack/react-virtual'
import type { queryLimits } from '@hopper/contracts'
import { pageNames } from '../../format/pages.ts'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import { peopleWords } from './people-words.ts'
import { PersonItem, type ListedRow } from './person-item.tsx'

/** At most this many people are listed; the type fails to compile when the API has a different limit. */
export const PEOPLE_MAX: (typeof queryLimits)['peopleMax'] = 100_000
const ROW_PX = 57

/** Row sizes of the list that was left last, so that Back can restore the scroll position. */
let left: { readonly listId: string; readonly sizes: VirtualItem[] } | undefined

/** The next page is requested when the list is scrolled to within this many rows of its end. */
const AHEAD = 20

interface Props {
  /** identifies the list: the property that its people have in common */
  listId: string
  rows: readonly ListedRow[]
  /** number of stages of the funnel that the rows are about */
  stages?: number
  /** loads the rows after these; undefined if there are none */
  more?: () => void
}

/**
 * A list of people, of which only those in view are drawn. Back returns to the person that was opened, at the same
 * scroll position.
 */
export function PeopleList({ listId, rows, stages, more }: Props): ReactNode {
  const { unit } = useScope()
  const { search, change } = useSearchState()
  const scroll = useRef<HTMLDivElement>(null)
  const scrolled = useElementScrollRestoration({ id: 'people' })
  const pageName = useMemo(
    () => pageNames(rows.flatMap(({ last_page: page, next }) => [page, next].filter((one) => typeof one === 'string'))),
    [rows],
  )
  const hasMore = more !== undefined && rows.length < PEOPLE_MAX
  const virtual = useVirtualizer({
    count: rows.length + (hasMore ? 1 : 0),
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]?.id ?? '',
    overscan: 8,
    initialOffset: scrolled?.scrollY ?? 0,
    ...(left?.listId === listId ? { initialMeasurementsCache: left.sizes } : {}),
  })
  useEffect(
    () => () => {
      left = { listId, sizes: virtual.takeSnapshot() }
    },
    [listId, virtual],
  )
  const items = virtual.getVirtualItems()
  const isNearEnd = hasMore && (items.at(-1)?.index ?? 0) >= rows.length - AHEAD
  useEffect(() => {
    if (isNearEnd) more()
  }, [isNearEnd, more, rows.length])
  return (
    <>
      {rows.length >= PEOPLE_MAX && <p className="hint">{peopleWords.first(rows.length)}</p>}
      <div
        ref={scroll}
        className="people"
        tabIndex={0}
        role="region"
        aria-label={words.units[unit].name}
        data-scroll-restoration-id="people"
      >
        <ul style={{ height: virtual.getTotalSize() }}>
          {items.map(({ key, index, start }) => {
            const row = rows[index]
            return (
              <li
                key={key}
                ref={virtual.measureElement}
                data-index={index}
                style={{ transform: `translateY(${start}px)` }}
              >
                {row ? (
                  <PersonItem
                    row={row}
                    pageName={pageName}
                    {...(stages === undefined ? {} : { stages })}
                    isOpen={row.id === search.who}
                    toggle={() => change({ who: row.id === search.who ? undefined : row.id })}
                  />
                ) : (
                  <p className="hint">{peopleWords.loadingMore}</p>
                )}
              </li>
            )
          })}
        </ul>
      </div>
    </>
  )
}

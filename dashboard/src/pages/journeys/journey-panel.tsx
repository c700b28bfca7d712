import { useEffect, useMemo, useRef, type ReactNode } from 'react'
import { X } from 'lucide-react'
import { useSession } from '../../api/session.tsx'
import { formatCount, formatPercent } from '../../format/numbers.ts'
import { AppLink } from '../../parts/app-link.tsx'
import { Icon } from '../../parts/icon.tsx'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import { pathOf } from '../connect/proposed-stages.ts'
import { isListable, linkId, wayThrough, type JourneyGraph, type JourneyLink } from './journey-graph.ts'
import type { PageGroup, PlaceName } from './journey-places.ts'
import { journeyWords } from './journey-words.ts'
import { LinkPeople } from './link-people.tsx'

interface Props {
  graph: JourneyGraph
  link: JourneyLink
  groups: readonly PageGroup[]
  nameOf: PlaceName
  isBackward: boolean
}

/** Everything about one link: how many went this way, what that means, who they are, and the way as a funnel. */
export default function JourneyPanel({ graph, link, groups, nameOf, isBackward }: Props): ReactNode {
  const { unit } = useScope()
  const { search, change } = useSearchState()
  const heading = useRef<HTMLHeadingElement>(null)
  const { from, to, users } = link
  const id = linkId(from, to)
  useEffect(() => heading.current?.focus({ preventScroll: true }), [id])
  const close = (): void => {
    const opener = document.querySelector<HTMLElement>(`[data-opens="${CSS.escape(id)}"]`)
    change({ link: undefined })
    opener?.focus()
  }
  return (
    <aside
      className="panel"
      aria-labelledby="panel-title"
      onKeyDown={(event) => {
        if (event.key === 'Escape') close()
      }}
    >
      <header>
        <h2 id="panel-title" ref={heading} tabIndex={-1}>
          <bdi>{nameOf(from)}</bdi> → <bdi>{nameOf(to)}</bdi>
        </h2>
        <button type="button" className="plain" aria-label={words.close} onClick={close}>
          <Icon of={X} />
        </button>
      </header>
      <p className="panel-count tnum">
        {formatCount(users)} <span>{words.units[unit].of(users)}</span>
      </p>
      <p className="hint">
        {from.kind !== 'entry' &&
          `${journeyWords.panel.count(formatPercent(from.users === 0 ? null : users / from.users), nameOf(from))}. `}
        {definitionOf(link, nameOf)} {startOf(search, nameOf)}
      </p>
      {search.places !== 'events' && <Way way={wayThrough(graph, link, isBackward)} groups={groups} nameOf={nameOf} />}
      <h3>{journeyWords.panel.who}</h3>
      {isListable(link) ? <LinkPeople link={link} groups={groups} /> : <p>{journeyWords.panel.manyPlaces}</p>}
    </aside>
  )
}

/** The most used way through the link, which can become a funnel. */
function Way({
  way,
  groups,
  nameOf,
}: {
  way: readonly string[]
  groups: readonly PageGroup[]
  nameOf: PlaceName
}): ReactNode {
  const { app } = useScope()
  const { me } = useSession()
  const patterns = useMemo(
    () => way.map((place) => (groups.some(({ pattern }) => pattern === place) ? place : pathOf(place))),
    [way, groups],
  )
  if (way.length < 2) return null
  return (
    <>
      <h3>{journeyWords.panel.wayOf}</h3>
      <ol className="journey-way">
        {way.map((place) => (
          <li key={place}>
            <bdi className="cut">{nameOf({ value: place })}</bdi>
          </li>
        ))}
      </ol>
      {me.member.role !== 'viewer' && (
        <div>
          <AppLink app={app.id} to="new-funnel" className="button" search={{ with: patterns }}>
            {journeyWords.panel.makeFunnel}
          </AppLink>
        </div>
      )}
    </>
  )
}

function definitionOf({ from, to }: JourneyLink, nameOf: PlaceName): string {
  const { definition, exit, entry } = journeyWords.panel
  if (from.kind === 'entry') return entry(nameOf(to))
  if (to.kind === 'exit') return exit(from.column + 1, nameOf(from))
  return definition(from.column + 1, nameOf(from), nameOf(to))
}

function startOf({ start, end }: { start?: string; end?: string }, nameOf: PlaceName): string {
  if (start !== undefined) return journeyWords.panel.start(nameOf({ value: start }))
  return end === undefined ? '' : journeyWords.panel.end(nameOf({ value: end }))
}

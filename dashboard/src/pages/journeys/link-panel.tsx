import { useMemo, type ReactNode } from 'react'
import { useSession } from '../../api/session.tsx'
import { formatPercent } from '../../format/numbers.ts'
import { AppLink } from '../../parts/app-link.tsx'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { pathOf } from '../connect/proposed-stages.ts'
import { isListable, linkId, wayThrough, type JourneyGraph, type JourneyLink } from './journey-graph.ts'
import { JourneyPeople } from './journey-people.tsx'
import type { PageGroup, PlaceName } from './journey-places.ts'
import { journeyWords, startOf } from './journey-words.ts'
import { SidePanel } from '../../parts/side-panel.tsx'
import { noPanel } from './journey-question.ts'

interface Props {
  graph: JourneyGraph
  link: JourneyLink
  groups: readonly PageGroup[]
  nameOf: PlaceName
  isBackward: boolean
}

/** Everything about one link: how many went this way, what that means, who they are, and the way as a funnel. */
export default function LinkPanel({ graph, link, groups, nameOf, isBackward }: Props): ReactNode {
  const { search } = useSearchState()
  const { from, to, users } = link
  const title = (
    <>
      <bdi>{nameOf(from)}</bdi> → <bdi>{nameOf(to)}</bdi>
    </>
  )
  return (
    <SidePanel opens={linkId(from, to)} closed={noPanel} title={title} users={users}>
      <p className="hint">
        {from.kind !== 'entry' &&
          `${journeyWords.panel.count(formatPercent(from.users === 0 ? null : users / from.users), nameOf(from))}. `}
        {definitionOf(link, nameOf)} {startOf(search, nameOf)}
      </p>
      {search.places !== 'events' && <Way way={wayThrough(graph, link, isBackward)} groups={groups} nameOf={nameOf} />}
      <h3>{journeyWords.panel.who}</h3>
      {isListable(link) ? (
        <JourneyPeople from={from.id} to={to.id} groups={groups} />
      ) : (
        <p>{journeyWords.panel.manyPlaces}</p>
      )}
    </SidePanel>
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

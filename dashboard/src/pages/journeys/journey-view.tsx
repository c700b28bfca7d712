import { lazy, Suspense, useCallback, type ReactNode } from 'react'
import { useShared } from '../../api/session.tsx'
import { useSearchState } from '../../state/use-search.ts'
import type { JourneyActions, JourneyGraph, JourneyLink, JourneyNode } from './journey-graph.ts'
import { JourneyList } from './journey-list.tsx'
import { JourneyPicture } from './journey-picture.tsx'
import type { PageGroup, PlaceName } from './journey-places.ts'
import { noPanel } from './journey-question.ts'
import { journeyWords } from './journey-words.ts'

const LinkPanel = lazy(() => import('./link-panel.tsx'))
const NodePanel = lazy(() => import('./node-panel.tsx'))

interface Props {
  graph: JourneyGraph
  groups: readonly PageGroup[]
  nameOf: PlaceName
  /** true if the API has folded places that were not asked to be */
  isCut: boolean
}

/** Journeys as a picture and as a list of the same numbers, and the panel of the link or the place that is open. */
export function JourneyView({ graph, groups, nameOf, isCut }: Props): ReactNode {
  const { search, change } = useSearchState()
  const shared = useShared()
  const isBackward = search.start === undefined && search.end !== undefined
  const chooseNode = useCallback(
    ({ value, kind }: JourneyNode) => {
      if (kind === undefined && !shared)
        change({ start: isBackward ? undefined : value, end: isBackward ? value : undefined, ...noPanel })
    },
    [change, isBackward, shared],
  )
  const openLink = useCallback(
    ({ from, to }: JourneyLink) => {
      if (!shared) change({ ...noPanel, link: [from.id, to.id] })
    },
    [change, shared],
  )
  const openNode = useCallback(
    ({ id }: JourneyNode) => {
      if (!shared) change({ ...noPanel, node: id })
    },
    [change, shared],
  )
  const chooseLabel = isBackward ? journeyWords.endHere : journeyWords.startHere
  const opened = graph.links.find(({ from, to }) => from.id === search.link?.[0] && to.id === search.link[1])
  const place = graph.columns.flat().find(({ id }) => id === search.node)
  const actions: JourneyActions = { openLink, openNode, chooseNode, chooseLabel }
  return (
    <div className={opened || place ? 'with-panel' : undefined}>
      <div className="journeys">
        <JourneyPicture graph={graph} nameOf={nameOf} actions={actions} {...(opened ? { opened } : {})} />
        <JourneyList graph={graph} nameOf={nameOf} actions={actions} isCut={isCut} />
      </div>
      {opened && (
        <Suspense fallback={<aside className="panel" />}>
          <LinkPanel graph={graph} link={opened} groups={groups} nameOf={nameOf} isBackward={isBackward} />
        </Suspense>
      )}
      {place && !opened && (
        <Suspense fallback={<aside className="panel" />}>
          <NodePanel node={place} groups={groups} nameOf={nameOf} />
        </Suspense>
      )}
    </div>
  )
}

import type { ReactNode } from 'react'
import { useSearchState } from '../../state/use-search.ts'
import type { JourneyNode } from './journey-graph.ts'
import { JourneyPeople } from './journey-people.tsx'
import type { PageGroup, PlaceName } from './journey-places.ts'
import { journeyWords, startOf } from './journey-words.ts'
import { SidePanel } from '../../parts/side-panel.tsx'
import { noPanel } from './journey-question.ts'

interface Props {
  node: JourneyNode
  groups: readonly PageGroup[]
  nameOf: PlaceName
}

/** The people who were at a place of journeys. */
export default function NodePanel({ node, groups, nameOf }: Props): ReactNode {
  const { search } = useSearchState()
  const { panel } = journeyWords
  return (
    <SidePanel opens={node.id} closed={noPanel} title={<bdi>{nameOf(node)}</bdi>} users={node.users}>
      <p className="hint">
        {node.kind === undefined && panel.node(node.column + 1, nameOf(node))} {startOf(search, nameOf)}
      </p>
      <h3>{panel.who}</h3>
      {node.kind === 'other' ? <p>{panel.manyPlaces}</p> : <JourneyPeople node={node.id} groups={groups} />}
    </SidePanel>
  )
}

import { useState, type ReactNode } from 'react'
import { formatCount, formatPercent } from '../../format/numbers.ts'
import { MiddleCut } from '../../parts/middle-cut.tsx'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { linkId, type JourneyGraph, type JourneyLink, type JourneyNode, type JourneyActions } from './journey-graph.ts'
import { journeyWords } from './journey-words.ts'
import type { PlaceName } from './journey-places.ts'

const FIRST = 30

interface Props {
  graph: JourneyGraph
  nameOf: PlaceName
  actions: JourneyActions
  isCut: boolean
}

/** Lists the links of the diagram as rows, with the same numbers and buttons. */
export function JourneyList({ graph, nameOf, actions, isCut }: Props): ReactNode {
  const { unit } = useScope()
  const [all, setAll] = useState(false)
  const shown = all ? graph.links : graph.links.slice(0, FIRST)
  return (
    <section className="card journey-list" aria-label={journeyWords.list}>
      <h2>{journeyWords.list}</h2>
      {isCut && <p className="hint">{journeyWords.truncated}</p>}
      <table>
        <caption className="unseen">{journeyWords.list}</caption>
        <thead>
          <tr>
            <th scope="col">{journeyWords.from}</th>
            <th scope="col">{journeyWords.to}</th>
            <th scope="col" className="number">
              {words.units[unit].name}
            </th>
            <th scope="col" className="number">
              {journeyWords.share}
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((link) => (
            <LinkRow key={linkId(link.from, link.to)} link={link} nameOf={nameOf} actions={actions} />
          ))}
        </tbody>
      </table>
      {graph.links.length > FIRST && (
        <button type="button" className="quiet" onClick={() => setAll(!all)}>
          {all ? `Show the first ${FIRST}` : `Show all ${graph.links.length}`}
        </button>
      )}
    </section>
  )
}

function LinkRow({ link, nameOf, actions }: { link: JourneyLink } & Pick<Props, 'nameOf' | 'actions'>): ReactNode {
  const { unit } = useScope()
  const { from, to, users } = link
  const count = `${formatCount(users)} ${words.units[unit].of(users)}`
  const ofPlace = `${formatCount(from.users)} ${words.units[unit].of(from.users)}`
  return (
    <tr>
      <td>
        <small className="tnum">{from.column + 1} </small>
        <Place node={from} nameOf={nameOf} actions={actions} />
      </td>
      <td>
        <Place node={to} nameOf={nameOf} actions={actions} />
      </td>
      <td className="number">
        <button
          type="button"
          className="opens"
          data-opens={linkId(from, to)}
          aria-label={journeyWords.openLink(nameOf(from), nameOf(to), count)}
          onClick={() => actions.openLink(link)}
        >
          {formatCount(users)}
        </button>
      </td>
      <td className="number">
        {formatPercent(from.users === 0 ? null : users / from.users)}{' '}
        {from.kind !== 'other' && (
          <button
            type="button"
            className="opens small"
            data-opens={from.id}
            aria-label={journeyWords.openNode(nameOf(from), ofPlace)}
            onClick={() => actions.openNode(from)}
          >
            {journeyWords.of(formatCount(from.users))}
          </button>
        )}
      </td>
    </tr>
  )
}

function Place({ node, nameOf, actions }: { node: JourneyNode } & Pick<Props, 'nameOf' | 'actions'>): ReactNode {
  const name = nameOf(node)
  if (node.kind !== undefined) return <span className="hint">{name}</span>
  return (
    <button type="button" className="link" onClick={() => actions.chooseNode(node)}>
      <MiddleCut text={name} title={actions.chooseLabel(name)} />
    </button>
  )
}

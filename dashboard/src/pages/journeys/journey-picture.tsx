import { useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { useWidth } from '../../charts/use-width.ts'
import { formatCount } from '../../format/numbers.ts'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { linkId, type JourneyGraph, type JourneyLink, type JourneyNode, type JourneyActions } from './journey-graph.ts'
import { journeyLayout, neighbour, type PlacedNode } from './journey-layout.ts'
import { journeyWords } from './journey-words.ts'
import type { PlaceName } from './journey-places.ts'

interface Props {
  graph: JourneyGraph
  nameOf: PlaceName
  actions: JourneyActions
  opened?: JourneyLink
}

const LABEL_GAP_PX = 6
/** width of a letter of a label, on average */
const LETTER_PX = 6.5

/**
 * The journeys as flows between columns of places. The arrow keys move from place to place, Enter makes one the start.
 * The links are buttons in the list beside it.
 */
export function JourneyPicture({ graph, nameOf, actions, opened }: Props): ReactNode {
  const [box, width] = useWidth()
  const svg = useRef<SVGSVGElement>(null)
  const [current, setCurrent] = useState<string>()
  const [looked, setLooked] = useState<JourneyNode>()
  const { nodes, links, ...size } = useMemo(() => journeyLayout(graph, width), [graph, width])
  const all = graph.columns.flat()
  const focusable = all.find(({ id }) => id === current) ?? all[0]
  const onKeyDown = (event: KeyboardEvent, node: JourneyNode): void => {
    const to = ({ ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right' } as const)[event.key]
    if (to) {
      const next = neighbour(graph, node, to)
      if (next) svg.current?.querySelector<SVGElement>(`[data-node="${CSS.escape(next.id)}"]`)?.focus()
    } else if (event.key === 'Enter' || event.key === ' ') actions.chooseNode(node)
    else return
    event.preventDefault()
  }
  return (
    <section className="card journey-picture" aria-label={journeyWords.picture}>
      <p className="hint">{journeyWords.keys}</p>
      <div ref={box} className="journey-scroll">
        <svg
          ref={svg}
          data-picture="journeys"
          width={size.width}
          height={size.height}
          role="group"
          aria-label={journeyWords.keys}
          data-arrows=""
        >
          <g aria-hidden="true">
            {links.map(({ link, path, width: thickness }) => (
              <path
                key={linkId(link.from, link.to)}
                className={linkClass(link, opened, looked)}
                d={path}
                strokeWidth={thickness}
                onClick={() => actions.openLink(link)}
              >
                <title>
                  {journeyWords.way(nameOf(link.from), nameOf(link.to))}: {formatCount(link.users)}
                </title>
              </path>
            ))}
          </g>
          {nodes.map((placed) => (
            <NodeMarks
              key={placed.node.id}
              placed={placed}
              name={nameOf(placed.node)}
              isFocusable={placed.node === focusable}
              actions={actions}
              onKeyDown={(event) => onKeyDown(event, placed.node)}
              onFocus={() => setCurrent(placed.node.id)}
              look={(isLooked) => setLooked(isLooked ? placed.node : undefined)}
            />
          ))}
        </svg>
      </div>
    </section>
  )
}

interface NodeProps {
  placed: PlacedNode
  name: string
  isFocusable: boolean
  actions: JourneyActions
  onKeyDown: (event: KeyboardEvent) => void
  onFocus: () => void
  look: (isLooked: boolean) => void
}

function NodeMarks(props: NodeProps): ReactNode {
  const { placed, name, isFocusable, actions, onKeyDown, onFocus, look } = props
  const { unit } = useScope()
  const { node, x, y, width, height, room } = placed
  const count = `${formatCount(node.users)} ${words.units[unit].of(node.users)}`
  const label = journeyWords.nodeLabel(node.column + 1, name, count)
  const isPlace = node.kind === undefined
  const left = x + width + LABEL_GAP_PX
  const middle = y + height / 2
  const letters = Math.max(6, Math.floor((room - 2 * LABEL_GAP_PX) / LETTER_PX))
  return (
    <g
      className={isPlace ? 'journey-node' : `journey-node ${node.kind}`}
      role={isPlace ? 'button' : 'img'}
      aria-label={isPlace ? `${label}. ${actions.chooseLabel(name)}` : label}
      tabIndex={isFocusable ? 0 : -1}
      data-node={node.id}
      onKeyDown={onKeyDown}
      onFocus={() => {
        onFocus()
        look(true)
      }}
      onBlur={() => look(false)}
      onPointerEnter={() => look(true)}
      onPointerLeave={() => look(false)}
      onClick={() => actions.chooseNode(node)}
    >
      <title>{isPlace ? `${label}. ${actions.chooseLabel(name)}` : label}</title>
      <rect className="journey-hit" x={x} y={middle - 18} width={width + room - LABEL_GAP_PX} height={36} />
      <rect className="journey-bar" x={x} y={y} width={width} height={height} rx={2} />
      <text x={left} y={middle - 3} className="journey-name">
        {shortened(name, letters)}
      </text>{' '}
      <text x={left} y={middle + 13} className="tick">
        {formatCount(node.users)}
      </text>
    </g>
  )
}

function linkClass({ from, to }: JourneyLink, opened?: JourneyLink, looked?: JourneyNode): string {
  const isOpen = opened?.from.id === from.id && opened.to.id === to.id
  const isNear = looked !== undefined && (looked.id === from.id || looked.id === to.id)
  const kind = to.kind === 'exit' || from.kind === 'entry' ? ' outside' : ''
  return `journey-link${kind}${isOpen || isNear ? ' looked' : ''}`
}

/** Cuts a name in the middle. */
function shortened(name: string, letters: number): string {
  const all = [...name]
  if (all.length <= letters) return name
  const end = Math.floor((letters - 1) / 2)
  return `${all.slice(0, letters - 1 - end).join('')}…${all.slice(-end).join('')}`
}

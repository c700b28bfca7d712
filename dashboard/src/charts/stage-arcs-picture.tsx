import { useLayoutEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { formatCount } from '../format/numbers.ts'
import { shorten } from './chart-option.ts'
import { stageArcs, type Arc, type GraphStage, type Move, type Node } from './stage-arcs.ts'

/** Draws the stages and the moves between them; wider arcs stand for more users. */
export function StageArcsPicture({
  stages,
  moves,
}: {
  stages: readonly GraphStage[]
  moves: readonly Move[]
}): ReactNode {
  const place = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const element = place.current!
    const sizes = new ResizeObserver(() => setWidth(element.clientWidth))
    setWidth(element.clientWidth)
    sizes.observe(element)
    return () => sizes.disconnect()
  }, [])
  const { nodes, arcs, height, vertical } = useMemo(
    () => stageArcs(stages, moves, Math.max(280, width)),
    [stages, moves, width],
  )
  const chars = vertical ? 13 : Math.max(5, Math.floor(width / nodes.length / 8))
  return (
    <div ref={place} className="arcs">
      <svg
        width={Math.max(280, width)}
        height={height}
        role="img"
        aria-label="Moves between the stages; the table has the numbers"
      >
        {[...arcs]
          .sort((a, b) => b.users - a.users)
          .map((arc) => (
            <ArcPath key={arc.key} arc={arc} />
          ))}
        {nodes.map((node) => (
          <StageNode key={node.key} node={node} vertical={vertical} chars={chars} />
        ))}
        {arcs.map(({ key, labelX, labelY, users }) => (
          <text
            key={key}
            className="arc-number"
            x={labelX}
            y={labelY}
            textAnchor={vertical ? 'start' : 'middle'}
            dominantBaseline="middle"
          >
            {formatCount(users)}
          </text>
        ))}
      </svg>
    </div>
  )
}

function ArcPath({ arc: { path, width, back, from, to, users } }: { arc: Arc }): ReactNode {
  return (
    <path className={back ? 'arc back' : 'arc'} d={path} strokeWidth={width}>
      <title>{`${from} → ${to}: ${formatCount(users)} users`}</title>
    </path>
  )
}

function StageNode({
  node: { name, users, x, y, radius },
  vertical,
  chars,
}: {
  node: Node
  vertical: boolean
  chars: number
}): ReactNode {
  return (
    <g>
      <title>{users === undefined ? 'Where people enter the funnel' : `${name}: ${formatCount(users)} users`}</title>
      <circle className={users === undefined ? 'node entry' : 'node'} cx={x} cy={y} r={radius} />
      {vertical ? (
        <text className="node-name" x={x - 26} y={y} textAnchor="end" dominantBaseline="middle">
          {shorten(name, chars)}
        </text>
      ) : (
        <text className="node-name" x={x} y={y + 32} textAnchor="middle">
          {shorten(name, chars)}
        </text>
      )}
    </g>
  )
}

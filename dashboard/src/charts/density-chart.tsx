import type { ReactNode } from 'react'
import { formatDuration } from '../format/numbers.ts'
import { densityOf, marksOfDurations, type DensityPoint } from './densities.ts'
import { linePath } from './line-path.ts'
import { useWidth } from './use-width.ts'

const HEIGHT = 168
const TOP = 40
const BOTTOM = 22
/** room for the name of a median */
const NAME_PX = 110

export interface DensityGroup {
  readonly name: string
  readonly tone: 'clicked' | 'left'
  readonly median_ms: number | null
  readonly buckets: readonly { readonly from_ms: number; readonly to_ms: number; readonly count: number }[]
}

/** Densities of durations over each other on a logarithmic axis, with the median of each group. */
export function DensityChart({ label, groups }: { label: string; groups: readonly DensityGroup[] }): ReactNode {
  const [frame, width] = useWidth()
  const drawn = groups.map((group) => ({ ...group, points: densityOf(group.buckets) }))
  const all = drawn.flatMap(({ points }) => points)
  if (all.length === 0) return null
  const [from, to] = [Math.min(...all.map(({ ms }) => ms)), Math.max(...all.map(({ ms }) => ms))]
  const shortest = Math.min(...groups.map(({ median_ms: median }) => median ?? Infinity))
  const most = Math.max(...all.map(({ share }) => share))
  const x = (ms: number): number => (Math.log(ms / from) / Math.max(Math.log(to / from), 1e-9)) * (width - 24) + 12
  const y = (share: number): number => HEIGHT - BOTTOM - (share / most) * (HEIGHT - TOP - BOTTOM)
  return (
    <figure ref={frame} className="densities">
      <figcaption className="hint">{label}</figcaption>
      <svg width={width} height={HEIGHT} role="img" aria-label={nameOf(label, groups)}>
        <line className="axis" x1={0} x2={width} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} />
        {marksOfDurations(from, to).map((ms) => (
          <text key={ms} x={x(ms)} y={HEIGHT - 6} textAnchor="middle">
            {formatDuration(ms)}
          </text>
        ))}
        {drawn.map(({ name, tone, points, median_ms: median }, index) => (
          <g key={name} className={tone}>
            <path d={outline(points, x, y)} />
            {median !== null && (
              <Median
                x={x(Math.max(1, median))}
                row={index}
                width={width}
                isFirst={median === shortest}
                name={name}
                ms={median}
              />
            )}
          </g>
        ))}
      </svg>
    </figure>
  )
}

interface MedianProps {
  x: number
  /** the line of text in which it is named, so that two medians that are close do not cover each other */
  row: number
  width: number
  /** true for the shortest median */
  isFirst: boolean
  name: string
  ms: number
}

function Median({ x, row, width, isFirst, name, ms }: MedianProps): ReactNode {
  // beside the other one where there is room, else to the side that has it
  const isBefore = x > width - NAME_PX || (isFirst && x > NAME_PX)
  return (
    <>
      <line className="median" x1={x} x2={x} y1={14 + row * 16} y2={HEIGHT - BOTTOM} />
      <text
        className="median-name"
        x={x + (isBefore ? -6 : 6)}
        y={14 + row * 16}
        textAnchor={isBefore ? 'end' : 'start'}
      >
        {`${name} ${formatDuration(ms)}`}
      </text>
    </>
  )
}

function outline(points: readonly DensityPoint[], x: (ms: number) => number, y: (share: number) => number): string {
  return linePath(points.map(({ ms, share }) => ({ x: x(ms), y: y(share) })))
}

function nameOf(label: string, groups: readonly DensityGroup[]): string {
  const medians = groups.map(({ name, median_ms: median }) => `${name} ${formatDuration(median)}`)
  return `${label}. ${medians.join(', ')}`
}

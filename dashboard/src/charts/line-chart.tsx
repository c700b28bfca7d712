import { useId, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react'
import type { ChartNote } from '../annotations/chart-notes.ts'
import { endLabels, roomForLabels } from './end-labels.ts'
import { linePath, splitAtOpen } from './line-path.ts'
import { marksOfTimes, marksTo } from './scale.ts'
import { useWidth } from './use-width.ts'

export interface Line {
  readonly name: string
  /** null where there is no value */
  readonly values: readonly (number | null)[]
  /** of the tokens, such as `--blue` */
  readonly color: string
  /** true for the period that is compared with */
  readonly isCompared?: boolean
  /** for each point where the value can still end up */
  readonly band?: readonly ({ readonly low: number; readonly high: number } | null)[]
}

interface Props {
  label: string
  lines: readonly Line[]
  /** names of the points, for the axis */
  ticks: readonly string[]
  /** names of the points, for the tooltip */
  titles: readonly string[]
  /** index of the first point that can still change; from here on lines are dashed */
  openFrom: number
  format: (value: number) => string
  height?: number
  /** marks of what was noted */
  notes?: readonly ChartNote[]
  /** called for a point that is pressed */
  choose?: (index: number) => void
}

const LEFT = 48
const RIGHT = 12
const TOP = 12
const BOTTOM = 24
const TICK_PX = 88

/**
 * Lines over time: solid where the numbers are settled, dashed where they can still change. The tooltip follows the
 * pointer and the arrow keys; colours, forced colours and print come from the style sheet.
 */
export function LineChart(props: Props): ReactNode {
  const { label, lines, ticks, openFrom, format, height = 220, notes = [], choose } = props
  const [box, width] = useWidth()
  const [chosen, setChosen] = useState<number | null>(null)
  const hint = useId()
  const count = ticks.length
  const marks = marksTo(highestOf(lines))
  const room = roomForLabels(lines, width)
  const right = RIGHT + room
  const inner = Math.max(1, width - LEFT - right)
  const x = (index: number): number => LEFT + (count < 2 ? inner / 2 : (index / (count - 1)) * inner)
  const y = (value: number): number => TOP + (1 - value / marks.at(-1)!) * (height - TOP - BOTTOM)
  const point = (event: PointerEvent): number => {
    const left = event.clientX - event.currentTarget.getBoundingClientRect().left
    return clamp(Math.round(((left - LEFT) / inner) * (count - 1)), count)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -count, End: count }[event.key]
    if (step !== undefined) setChosen(clamp((chosen ?? (step > 0 ? -1 : count)) + step, count))
    else if (event.key === 'Enter' && chosen !== null) choose?.(chosen)
    else if (event.key === 'Escape') setChosen(null)
    else return
    event.preventDefault()
  }
  return (
    <div
      ref={box}
      className="line-chart"
      role="application"
      aria-roledescription="chart"
      aria-label={label}
      aria-describedby={hint}
      data-arrows=""
      tabIndex={0}
      style={{ height }}
      onKeyDown={onKeyDown}
      onBlur={() => setChosen(null)}
      onPointerMove={(event) => setChosen(point(event))}
      onPointerLeave={() => setChosen(null)}
      onClick={() => {
        if (chosen !== null) choose?.(chosen)
      }}
    >
      <span id={hint} className="unseen">
        Arrow keys move from point to point.
      </span>
      <svg width={width} height={height} aria-hidden="true">
        {marks.map((mark) => (
          <g key={mark}>
            <line className="grid" x1={LEFT} x2={width - right} y1={y(mark)} y2={y(mark)} />
            <text className="tick" x={LEFT - 8} y={y(mark) + 4} textAnchor="end">
              {format(mark)}
            </text>
          </g>
        ))}
        {marksOfTimes(count, Math.floor(inner / TICK_PX)).map((index) => (
          <text key={index} className="tick" x={x(index)} y={height - 6} textAnchor={index === 0 ? 'start' : 'middle'}>
            {ticks[index]}
          </text>
        ))}
        {lines.map((line) => (
          <LineMarks key={line.name} line={line} openFrom={openFrom} x={x} y={y} />
        ))}
        {room > 0 &&
          endLabels(lines, y, height - BOTTOM).map((end, index) => (
            <text
              key={index}
              className="end-label"
              x={x(end.at) + RIGHT}
              y={end.y + 4}
              style={{ '--end': `var(${end.color})` } as object}
            >
              {end.text}
            </text>
          ))}
        {notes.map((note) => (
          <NoteMark key={note.number} note={note} x={x} bottom={height - BOTTOM} />
        ))}
        {chosen !== null && <line className="cursor" x1={x(chosen)} x2={x(chosen)} y1={TOP} y2={height - BOTTOM} />}
      </svg>
      {chosen !== null && <Tooltip {...props} index={chosen} place={tooltipPlace(x(chosen), width)} />}
    </div>
  )
}

function highestOf(lines: readonly Line[]): number {
  const all = lines.flatMap(({ values, band = [] }) => [...values, ...band.map((one) => one?.high)])
  return Math.max(0, ...all.map((value) => value ?? 0))
}

interface TooltipProps extends Props {
  index: number
  place: { left: number } | { right: number }
}

/** Describes what a point is, its values, and what was noted about it. */
function Tooltip({ titles, lines, openFrom, format, notes = [], index, place }: TooltipProps): ReactNode {
  return (
    <div className="tooltip" role="status" style={place}>
      <b>{titles[index]}</b>
      {index >= openFrom && <span className="hint"> can still change</span>}
      {lines.map(({ name, values, color }) => (
        <div key={name}>
          <i style={{ background: `var(${color})` }} /> {name}:{' '}
          <b className="tnum">{values[index] === null || values[index] === undefined ? '–' : format(values[index])}</b>
        </div>
      ))}
      {notes
        .filter(({ from, to }) => from <= index && index <= to)
        .map(({ number, text }) => (
          <div key={number}>
            {number}. <bdi>{text}</bdi>
          </div>
        ))}
    </div>
  )
}

/** A line at the first point of a note, with its number, and an area up to the last one. */
function NoteMark({
  note: { number, from, to },
  x,
  bottom,
}: {
  note: ChartNote
  x: (index: number) => number
  bottom: number
}): ReactNode {
  return (
    <g className="note">
      {to > from && <rect x={x(from)} y={TOP} width={x(to) - x(from)} height={bottom - TOP} />}
      <line x1={x(from)} x2={x(from)} y1={TOP} y2={bottom} />
      <text x={x(from)} y={TOP - 2} textAnchor="middle">
        {number}
      </text>
    </g>
  )
}

interface MarksProps {
  line: Line
  openFrom: number
  x: (index: number) => number
  y: (value: number) => number
}

function LineMarks({ line: { values, color, isCompared, band }, openFrom, x, y }: MarksProps): ReactNode {
  const points = values.map((value, index) => (value === null ? null : { x: x(index), y: y(value) }))
  const { settled, open } = splitAtOpen(points, openFrom)
  const last = points.findLastIndex((one) => one !== null)
  const stroke = { stroke: `var(${color})`, color: `var(${color})` }
  const edges = (band ?? []).flatMap((one, index) => (one ? [{ x: x(index), low: y(one.low), high: y(one.high) }] : []))
  return (
    <g className={isCompared ? 'line compared' : 'line'} style={stroke}>
      {edges.length > 1 && (
        <path
          className="band"
          d={`${linePath(edges.map(({ x: left, high }) => ({ x: left, y: high })))}L${[...edges]
            .reverse()
            .map(({ x: left, low }) => `${left} ${low}`)
            .join('L')}Z`}
        />
      )}
      <path d={linePath(settled)} />
      <path className="open" d={linePath(open)} />
      {last >= 0 && !isCompared && <circle cx={points[last]!.x} cy={points[last]!.y} r={3} />}
    </g>
  )
}

/** A line without axes, as wide as its container; the page shows its value as a number beside it. */
export function Sparkline({ values, openFrom }: { values: readonly number[]; openFrom: number }): ReactNode {
  const [width, height] = [96, 24]
  const most = Math.max(1e-9, ...values)
  const points = values.map((value, index) => ({
    x: 2 + (index / Math.max(1, values.length - 1)) * (width - 4),
    y: height - 2 - (value / most) * (height - 4),
  }))
  const { settled, open } = splitAtOpen(points, openFrom)
  return (
    <svg className="sparkline" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <g className="line">
        <path d={linePath(settled)} />
        <path className="open" d={linePath(open)} />
      </g>
    </svg>
  )
}

function clamp(index: number, count: number): number {
  return Math.max(0, Math.min(count - 1, index))
}

function tooltipPlace(left: number, width: number): { left: number } | { right: number } {
  return left < width / 2 ? { left: left + 12 } : { right: width - left + 12 }
}

import type { StageGraph } from '@hopper/contracts'

export interface GraphStage {
  readonly stage: number
  readonly name: string
  readonly users: number
}
export type Move = StageGraph['rows'][number]

export interface Node {
  readonly key: string
  readonly name: string
  /** missing for the entry */
  readonly users?: number
  readonly x: number
  readonly y: number
  readonly radius: number
}
export interface Arc {
  readonly key: string
  readonly path: string
  readonly width: number
  readonly back: boolean
  readonly users: number
  readonly from: string
  readonly to: string
  /** position of its label */
  readonly labelX: number
  readonly labelY: number
}
export interface Arcs {
  readonly nodes: readonly Node[]
  readonly arcs: readonly Arc[]
  readonly height: number
  readonly vertical: boolean
}

export const ENTRY = 'Entry'
const NARROW = 620
const ARC_WIDTH_MAX = 18
const ROW = 62
const LABEL_WIDTH = 96

/**
 * Lays out the stages and the moves between them. Wide: stages in a row, forward moves above, backward moves below.
 * Narrow: stages in a column, all moves to their right. A move to the next stage is a straight line; a move within one
 * stage appears only in the table.
 */
export function stageArcs(stages: readonly GraphStage[], moves: readonly Move[], width: number): Arcs {
  const vertical = width < NARROW
  const places = new Map(stages.map(({ stage }, index) => [stage, index + 1]))
  const placeOf = (stage: number | null): number => (stage === null ? 0 : places.get(stage)!)
  const drawn = moves.filter(({ from, to }) => from !== to && places.has(to) && (from === null || places.has(from)))
  const mostMoves = Math.max(1, ...drawn.map(({ users }) => users))
  const mostUsers = Math.max(1, ...stages.map(({ users }) => users))
  const step = vertical ? ROW : width / (stages.length + 1)
  const rise = (distance: number): number =>
    vertical ? Math.min(width - LABEL_WIDTH - 90, 24 + 26 * distance) : 26 + 20 * distance
  const ahead = Math.max(1, ...drawn.map(({ from, to }) => placeOf(to) - placeOf(from)))
  const behind = Math.max(0, ...drawn.map(({ from, to }) => placeOf(from) - placeOf(to)))
  const axis = vertical ? LABEL_WIDTH + 26 : ahead > 1 ? rise(ahead) + 24 : 44
  const at = (place: number): { x: number; y: number } => {
    const along = step * (place + 0.5)
    return vertical ? { x: axis, y: along } : { x: along, y: axis }
  }
  const names = [ENTRY, ...stages.map(({ name }) => name)]
  const arcs = drawn.map(({ from, to, users }): Arc => {
    const start = placeOf(from)
    const end = placeOf(to)
    const bend = end - start === 1 ? 0 : rise(Math.abs(end - start)) * (end > start || vertical ? 1 : -1)
    const [a, b] = [at(start), at(end)]
    const [x, y] = vertical ? [axis + bend, (a.y + b.y) / 2] : [(a.x + b.x) / 2, axis - bend]
    // a cubic with both handles at 4/3 of the bend peaks at the bend
    const handle = bend * (4 / 3)
    const path = vertical
      ? `M${a.x} ${a.y}C${axis + handle} ${a.y} ${axis + handle} ${b.y} ${b.x} ${b.y}`
      : `M${a.x} ${a.y}C${a.x} ${axis - handle} ${b.x} ${axis - handle} ${b.x} ${b.y}`
    return {
      key: `${start} ${end}`,
      path,
      users,
      back: end < start,
      width: Math.max(1.5, ARC_WIDTH_MAX * (users / mostMoves)),
      from: names[start]!,
      to: names[end]!,
      labelX: vertical ? x + 8 : x,
      labelY: vertical ? y : y - (bend < 0 ? -14 : bend === 0 ? 16 : 8),
    }
  })
  const nodes = names.map((name, place): Node => {
    const stage = stages[place - 1]
    return {
      key: `${place}`,
      name,
      ...at(place),
      radius: stage ? 7 + 9 * Math.sqrt(stage.users / mostUsers) : 7,
      ...(stage ? { users: stage.users } : {}),
    }
  })
  const height = vertical ? ROW * names.length : axis + Math.max(56, behind > 0 ? rise(behind) + 34 : 0)
  return { nodes, arcs, height, vertical }
}

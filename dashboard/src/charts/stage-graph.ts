import type { StageGraph } from '@hopper/contracts'
import type { GraphSeriesOption } from 'echarts/charts'
import { formatCount } from '../format/numbers.ts'
import { fontFamily, shorten, tooltip, type ChartOption } from './chart-option.ts'
import type { Theme } from './theme.ts'

export interface GraphStage {
  readonly stage: number
  readonly name: string
  readonly users: number
}

type Move = StageGraph['rows'][number]

const WIDTH_MAX = 14
const NODE_MIN = 14
const NODE_MAX = 38
export const ENTRY = 'Entry'

/** Stages in a row; moves ahead are arcs above it, moves back arcs below it, as wide as they have users. */
export function stageGraph(stages: readonly GraphStage[], moves: readonly Move[], theme: Theme, width: number): ChartOption {
  const places = placesOf(stages)
  const drawn = moves.filter(({ from, to }) => from !== to && places.has(to) && (from === null || places.has(from)))
  const most = Math.max(1, ...drawn.map(({ users }) => users))
  const mostUsers = Math.max(1, ...stages.map(({ users }) => users))
  const step = width / (stages.length + 1)
  const chars = Math.max(4, Math.floor(step / 8))
  const size = (users: number): number => NODE_MIN + (NODE_MAX - NODE_MIN) * Math.sqrt(users / mostUsers)
  const label = { show: true, position: 'bottom', distance: 8, color: theme.ink, fontFamily, fontSize: 12 } as const
  const series: GraphSeriesOption = {
    type: 'graph', layout: 'none', left: step / 2, right: step / 2, top: '50%', height: 1, edgeSymbol: ['none', 'arrow'], edgeSymbolSize: 7, cursor: 'default',
    data: [
      { id: ENTRY, name: ENTRY, x: 0, y: 0, symbolSize: NODE_MIN, itemStyle: { color: theme.muted }, label: { ...label, color: theme.muted } },
      ...stages.map(({ stage, name, users }, index) => ({
        id: String(stage), name, x: (index + 1) * 100, y: 0, symbolSize: size(users), itemStyle: { color: theme.first },
        label: { ...label, formatter: () => shorten(name, chars) },
      })),
    ],
    links: drawn.map(({ from, to, users }) => {
      const distance = places.get(to)! - (from === null ? 0 : places.get(from)!)
      return {
        source: from === null ? ENTRY : String(from), target: String(to),
        lineStyle: {
          width: Math.max(1, WIDTH_MAX * (users / most)), opacity: 0.45, color: distance > 0 ? theme.first : theme.warn,
          curveness: distance === 1 ? 0 : 0.28 + 0.12 / Math.abs(distance),
        },
        label: { show: distance === 1 && step > 90, formatter: () => formatCount(users), color: theme.muted, fontSize: 11, fontFamily },
      }
    }),
  }
  const formatter = (params: unknown): string => {
    const { dataType, dataIndex } = params as { dataType: 'node' | 'edge'; dataIndex: number }
    return dataType === 'edge' ? sayMove(stages, drawn[dataIndex]) : sayStage(stages[dataIndex - 1])
  }
  return { tooltip: { ...tooltip(theme), trigger: 'item', formatter }, series: [series] }
}

function sayMove(stages: readonly GraphStage[], move: Move | undefined): string {
  return move ? `${move.from === null ? ENTRY : nameOf(stages, move.from)} → ${nameOf(stages, move.to)}: ${formatCount(move.users)} users` : ''
}

/** The node before the first stage stands for all the ways in. */
function sayStage(stage: GraphStage | undefined): string {
  return stage ? `${stage.name}: ${formatCount(stage.users)} users` : 'Entered the funnel'
}

/** 1 for the first stage; 0 is where people come from. */
function placesOf(stages: readonly GraphStage[]): Map<number, number> {
  return new Map(stages.map(({ stage }, index) => [stage, index + 1]))
}

function nameOf(stages: readonly GraphStage[], stage: number): string {
  return stages.find((one) => one.stage === stage)?.name ?? `Stage ${stage}`
}

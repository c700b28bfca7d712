import { sankey, sankeyLinkHorizontal, type SankeyGraph } from 'd3-sankey'
import type { JourneyGraph, JourneyLink, JourneyNode } from './journey-graph.ts'

/** Maximum room at the right of the last column for the names of its places: it has no more than the other columns. */
const LABEL_PX = 132
const NODE_PX = 10
/** a name and a number below it fit between two places */
const GAP_PX = 32
const ROW_PX = 48
const HEIGHT_MIN_PX = 320
const COLUMN_PX_MIN = 108

export interface PlacedNode {
  readonly node: JourneyNode
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** px for its name, until the next column or the edge */
  readonly room: number
}

export interface PlacedLink {
  readonly link: JourneyLink
  readonly path: string
  readonly width: number
}

export interface JourneyLayout {
  readonly width: number
  readonly height: number
  readonly nodes: readonly PlacedNode[]
  readonly links: readonly PlacedLink[]
}

interface Datum {
  readonly node: JourneyNode
}

interface LinkDatum {
  readonly source: string
  readonly target: string
  readonly value: number
  readonly link: JourneyLink
}

/** Places the nodes of a graph in their columns, and the links between them; at least `width` wide. */
export function journeyLayout(graph: JourneyGraph, width: number): JourneyLayout {
  const columns = graph.columns.length
  const whole = Math.max(width, columns * COLUMN_PX_MIN)
  const label = Math.min(LABEL_PX, whole / columns)
  const most = Math.max(...graph.columns.map((column) => column.length))
  const height = Math.max(HEIGHT_MIN_PX, most * ROW_PX)
  const place = new Map(graph.columns.flatMap((column) => column.map((node, index) => [node.id, index] as const)))
  const layout = sankey<Datum, LinkDatum>()
    .nodeId(({ node }) => node.id)
    .nodeAlign(({ node }) => node.column)
    .nodeSort((a, b) => place.get(a.node.id)! - place.get(b.node.id)!)
    .nodeWidth(NODE_PX)
    .nodePadding(GAP_PX)
    .extent([
      [0, GAP_PX / 2],
      [whole - label, height - GAP_PX / 2],
    ])
  const placed: SankeyGraph<Datum, LinkDatum> = layout({
    nodes: graph.columns.flat().map((node) => ({ node })),
    links: graph.links.map((link) => ({ source: link.from.id, target: link.to.id, value: link.users, link })),
  })
  const path = sankeyLinkHorizontal<Datum, LinkDatum>()
  const between = columns < 2 ? whole : (whole - label - NODE_PX) / (columns - 1)
  return {
    width: whole,
    height,
    nodes: placed.nodes.map(({ node, x0 = 0, x1 = 0, y0 = 0, y1 = 0 }) => ({
      node,
      x: x0,
      y: y0,
      width: x1 - x0,
      height: Math.max(1, y1 - y0),
      room: node.column === columns - 1 ? label : between - NODE_PX,
    })),
    links: placed.links.map((one) => ({ link: one.link, path: path(one) ?? '', width: Math.max(1, one.width ?? 0) })),
  }
}

/** Returns the node beside another: in its column, or across the most used link. */
export function neighbour(
  graph: JourneyGraph,
  node: JourneyNode,
  to: 'up' | 'down' | 'left' | 'right',
): JourneyNode | undefined {
  const column = graph.columns[node.column]!
  if (to === 'up' || to === 'down') return column[column.findIndex(({ id }) => id === node.id) + (to === 'up' ? -1 : 1)]
  const [near, far] = to === 'left' ? (['to', 'from'] as const) : (['from', 'to'] as const)
  const most = graph.links
    .filter((link) => link[near].id === node.id)
    .reduce<JourneyLink | undefined>((a, b) => (a && a.users >= b.users ? a : b), undefined)
  return most?.[far]
}

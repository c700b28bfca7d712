import type { JourneyResult } from '@hopper/contracts'

/** Maximum places of a column with a node of their own, the most used ones; the others share one. */
export const PLACES_SHOWN = 8

export interface JourneyNode {
  readonly id: string
  /** from 0 */
  readonly column: number
  readonly value: string
  readonly users: number
  /** other: the less used places; exit: no further place; entry: no earlier one */
  readonly kind?: 'other' | 'exit' | 'entry'
}

export interface JourneyLink {
  readonly from: JourneyNode
  readonly to: JourneyNode
  readonly users: number
}

export interface JourneyGraph {
  readonly columns: readonly (readonly JourneyNode[])[]
  /** by column, the most used first */
  readonly links: readonly JourneyLink[]
}

/** Actions of the picture and of the list. */
export interface JourneyActions {
  readonly openLink: (link: JourneyLink) => void
  /** shows who was at a place */
  readonly openNode: (node: JourneyNode) => void
  /** makes a place the start of journeys, or their end if they end at one */
  readonly chooseNode: (node: JourneyNode) => void
  /** what a press on a place does */
  readonly chooseLabel: (name: string) => string
}

/**
 * Returns the part of an answer that is shown: of each column the most used places and `other`; in journeys that end at
 * a place, also an entry for people who were nowhere before. As many people enter a place as leave it.
 */
export function journeyGraph({ nodes, links }: JourneyResult, shown: number = PLACES_SHOWN): JourneyGraph {
  const first = Math.min(...nodes.map(({ step }) => step))
  const columns: JourneyNode[][] = []
  const places = new Map<string, JourneyNode>()
  const steps = Map.groupBy(nodes, ({ step }) => step)
  for (const step of [...steps.keys()].sort((a, b) => a - b)) {
    const column = step - first
    const nodes = steps.get(step)!
    const selected = nodes.filter(({ kind }) => kind === undefined).sort(byUsers)
    const rest = [...selected.slice(shown), ...nodes.filter(({ kind }) => kind === 'other')]
    const kept = selected.slice(0, shown).map(({ id, value, users }): JourneyNode => ({ id, column, value, users }))
    const other = sumOf(rest)
    if (rest.length > 0) kept.push({ id: `${step}/other`, column, value: 'other', users: other, kind: 'other' })
    const exit = nodes.find(({ kind }) => kind === 'exit')
    if (exit) kept.push({ id: exit.id, column, value: 'exit', users: exit.users, kind: 'exit' })
    for (const node of kept) places.set(node.id, node)
    for (const { id } of rest) places.set(id, places.get(`${step}/other`)!)
    columns.push(kept)
  }
  const ways = [...foldedLinks(links, places), ...entries(columns, links, places, first)]
  return {
    columns,
    links: ways.sort((a, b) => a.from.column - b.from.column || byUsers(a, b)),
  }
}

function foldedLinks(links: JourneyResult['links'], places: ReadonlyMap<string, JourneyNode>): JourneyLink[] {
  const folded = new Map<string, JourneyLink>()
  for (const { from, to, users } of links) {
    const [first, second] = [places.get(from)!, places.get(to)!]
    const id = linkId(first, second)
    folded.set(id, { from: first, to: second, users: (folded.get(id)?.users ?? 0) + users })
  }
  return [...folded.values()]
}

/** Adds to each column but the first a node for those whose journey begins in the column after it. */
function entries(
  columns: JourneyNode[][],
  links: JourneyResult['links'],
  places: ReadonlyMap<string, JourneyNode>,
  first: number,
): JourneyLink[] {
  const coming = new Map<JourneyNode, number>()
  for (const { to, users } of links) coming.set(places.get(to)!, (coming.get(places.get(to)!) ?? 0) + users)
  return columns.slice(1).flatMap((nodes, before) => {
    const begin = nodes
      .map((node) => ({ node, users: node.users - (coming.get(node) ?? 0) }))
      .filter(({ users }) => users > 0)
    if (begin.length === 0) return []
    const entry: JourneyNode = {
      id: `${before + first}/entry`,
      column: before,
      value: 'entry',
      users: sumOf(begin),
      kind: 'entry',
    }
    columns[before]!.push(entry)
    return begin.map(({ node, users }) => ({ from: entry, to: node, users }))
  })
}

/** Returns the id of a link, made of the ids of its ends. */
export function linkId(from: Pick<JourneyNode, 'id'>, to: Pick<JourneyNode, 'id'>): string {
  return JSON.stringify([from.id, to.id])
}

/** Returns whether the API can list the people of a link: none of its ends may stand for many places. */
export function isListable({ from, to }: JourneyLink): boolean {
  return from.kind !== 'other' && to.kind !== 'other'
}

/**
 * Returns the most used way from the first column through a link, or, of journeys that end at a place, from the link to
 * the last column: the values of its places, each once.
 */
export function wayThrough({ links }: JourneyGraph, link: JourneyLink, isBackward: boolean): string[] {
  const [near, far] = isBackward ? (['from', 'to'] as const) : (['to', 'from'] as const)
  const way = [link[far]]
  for (;;) {
    const next = links
      .filter((one) => one[near] === way.at(-1) && one[far].kind === undefined)
      .reduce<JourneyLink | undefined>((a, b) => (a && a.users >= b.users ? a : b), undefined)
    if (!next) break
    way.push(next[far])
  }
  const ordered = isBackward ? [link.from, ...way] : [...way.reverse(), link.to]
  return [...new Set(ordered.filter(({ kind }) => kind === undefined).map(({ value }) => value))]
}

function sumOf(rows: readonly { readonly users: number }[]): number {
  return rows.reduce((sum, { users }) => sum + users, 0)
}

function byUsers(a: { readonly users: number }, b: { readonly users: number }): number {
  return b.users - a.users
}

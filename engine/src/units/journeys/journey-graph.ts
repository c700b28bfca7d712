import { queryLimits, type JourneyResult, type Truncatable } from '@hopper/contracts'

/**
 * Maximum number of distinct places and links while units are counted: further ones count as `other` from the start.
 */
const NODES_MAX = 200_000
const LINKS_MAX = 1_000_000

interface Node {
  readonly number: number
  readonly id: string
  readonly step: number
  readonly value: string
  readonly kind?: 'other' | 'exit'
  users: number
}

interface Link {
  readonly from: Node
  readonly to: Node
  users: number
}

/**
 * The paths of units, as nodes by step and links between them. The users of a node are the paths that lead through it.
 */
export class JourneyGraph {
  readonly #nodes = new Map<string, Node>()
  readonly #links = new Map<string, Link>()
  #isTruncated = false

  /** Adds a path whose first place is at `step`; `leaves` means that the unit went to no other place afterwards. */
  add(places: readonly string[], step: number, leaves: boolean): void {
    let before: Node | undefined
    places.forEach((value, i) => (before = this.#go(before, this.#place(step + i, value))))
    if (leaves) this.#go(before, this.#special(step + places.length, 'exit'))
  }

  /** Returns the graph with at most `linksMax` links: the most used places of each step, the others as node `other`. */
  finish(linksMax: number = queryLimits.journeyLinksMax): Truncatable<JourneyResult> {
    const ranks = this.#ranks()
    const most = Math.max(0, ...ranks) + 1
    if (this.#links.size <= linksMax && !this.#isTruncated)
      return answerOf([...this.#nodes.values()], [...this.#links.values()])
    // the number of links grows with the number of places that have their own node
    let [low, high] = [0, most]
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (this.#folded(ranks, middle).links.length <= linksMax) low = middle
      else high = middle
    }
    const whole = this.#folded(ranks, most)
    const { nodes, links } = whole.links.length <= linksMax ? whole : this.#folded(ranks, low)
    return { ...answerOf(nodes, links), truncated: true }
  }

  #go(from: Node | undefined, wanted: Node): Node {
    let to = wanted
    if (from) {
      if (!this.#links.has(linkName(from, to)) && this.#links.size >= LINKS_MAX && to.kind === undefined) {
        to = this.#special(to.step, 'other')
        this.#isTruncated = true
      }
      const link = this.#links.get(linkName(from, to))
      if (link) link.users++
      else this.#links.set(linkName(from, to), { from, to, users: 1 })
    }
    to.users++
    return to
  }

  #place(step: number, value: string): Node {
    const id = placeId(step, value)
    const known = this.#nodes.get(id)
    if (known) return known
    if (this.#nodes.size < NODES_MAX) return this.#added({ id, step, value })
    this.#isTruncated = true
    return this.#special(step, 'other')
  }

  /** Returns the node for `other` or `exit`; its id is unique, because place ids have no slash after the step. */
  #special(step: number, kind: 'other' | 'exit'): Node {
    const id = specialId(step, kind)
    return this.#nodes.get(id) ?? this.#added({ id, step, value: kind, kind })
  }

  #added(node: Omit<Node, 'number' | 'users'>): Node {
    const added = { ...node, number: this.#nodes.size, users: 0 }
    this.#nodes.set(node.id, added)
    return added
  }

  /** Ranks the nodes, by number: how many places of the same step have more users. */
  #ranks(): Int32Array {
    const ranks = new Int32Array(this.#nodes.size)
    const steps = Map.groupBy(
      [...this.#nodes.values()].filter(({ kind }) => kind === undefined),
      ({ step }) => step,
    )
    for (const nodes of steps.values()) nodes.sort(byUsers).forEach(({ number }, rank) => (ranks[number] = rank))
    return ranks
  }

  /** Folds the graph so that only `apart` places of each step have a node of their own. */
  #folded(ranks: Int32Array, apart: number): { nodes: Node[]; links: Link[] } {
    const nodes = new Map<string, Node>()
    const places: Node[] = []
    for (const node of this.#nodes.values()) {
      const isApart = node.kind !== undefined || ranks[node.number]! < apart
      const { id, step, value, kind } = isApart
        ? node
        : { id: specialId(node.step, 'other'), step: node.step, value: 'other', kind: 'other' as const }
      let place = nodes.get(id)
      if (!place) nodes.set(id, (place = { number: nodes.size, id, step, value, ...(kind ? { kind } : {}), users: 0 }))
      place.users += node.users
      places[node.number] = place
    }
    const links = new Map<string, Link>()
    for (const { from, to, users } of this.#links.values()) {
      const [first, second] = [places[from.number]!, places[to.number]!]
      const link = links.get(linkName(first, second))
      if (link) link.users += users
      else links.set(linkName(first, second), { from: first, to: second, users })
    }
    return { nodes: [...nodes.values()], links: [...links.values()] }
  }
}

/** Returns the id of the node of a place. */
export function placeId(step: number, value: string): string {
  return `${step}:${value}`
}

/** Returns the id of a node that is no place. */
export function specialId(step: number, kind: 'other' | 'exit' | 'entry'): string {
  return `${step}/${kind}`
}

function linkName(from: Node, to: Node): string {
  return `${from.number} ${to.number}`
}

function byUsers(a: { users: number; id: string }, b: { users: number; id: string }): number {
  return b.users - a.users || (a.id < b.id ? -1 : 1)
}

/** Builds the answer: nodes by step, links by users; `other` and `exit` come after the places of their step. */
function answerOf(nodes: readonly Node[], links: readonly Link[]): JourneyResult {
  const order = [undefined, 'other', 'exit']
  const sorted = nodes.toSorted(
    (a, b) => a.step - b.step || order.indexOf(a.kind) - order.indexOf(b.kind) || byUsers(a, b),
  )
  const ways = links
    .map(({ from, to, users }) => ({ id: JSON.stringify([from.id, to.id]), from: from.id, to: to.id, users }))
    .sort(byUsers)
  return {
    nodes: sorted.map(({ id, step, value, kind, users }) => ({ id, step, value, users, ...(kind ? { kind } : {}) })),
    links: ways.map(({ from, to, users }) => ({ from, to, users })),
  }
}

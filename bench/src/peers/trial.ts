import { median, reportLine } from '../harness/paired.ts'
import type { Peer } from './python.ts'

/** Number of warm-up rounds for each side. The peers also run to find their fastest way. */
export const WARM_UPS = 4

/** One side of a trial: answers the query. */
export interface Contender {
  readonly name: string
  readonly run: () => Promise<unknown>
}

interface Opponent {
  readonly peer: Peer
  readonly kind: string
  readonly fits: (query: string) => boolean
  readonly bar: number
}

interface Cost {
  readonly wallMs: number
  readonly cpuMs: number
}

/**
 * Runs one query on our engine and on the peers alternately. The peers' fastest way counts. Every answer must equal
 * ours.
 */
export class Trial {
  readonly #what: string
  readonly #ours: Contender
  readonly #opponents: Opponent[] = []

  constructor(what: string, ours: Contender) {
    this.#what = what
    this.#ours = ours
  }

  /** Adds the peer's queries that begin with `kind` and fit. `bar` is how many times faster our engine should be. */
  against(peer: Peer, kind: string, fits: (query: string) => boolean, bar: number): this {
    this.#opponents.push({ peer, kind, fits, bar })
    return this
  }

  /** @throws Error when an answer differs */
  async run(rounds: number): Promise<void> {
    const expected = JSON.stringify(await this.#ours.run())
    const best = new Map<Opponent, string>()
    for (const opponent of this.#opponents) best.set(opponent, await this.#best(opponent, expected))
    const own: Cost[] = []
    const others = new Map<Opponent, Cost[]>(this.#opponents.map((opponent) => [opponent, []]))
    for (let round = -WARM_UPS; round < rounds; round++) {
      const peerCosts: Cost[] = []
      for (const [opponent, query] of best) peerCosts.push(await this.#measurePeer(opponent.peer, query, expected))
      const measured = await this.#measure(expected)
      if (round < 0) continue
      own.push(measured)
      this.#opponents.forEach((opponent, index) => others.get(opponent)!.push(peerCosts[index]!))
    }
    console.log(`  ${this.#what}: ours ${costs(own)}`)
    for (const [opponent, list] of others) {
      const ratios = list.map((cost, round) => cost.wallMs / own[round]!.wallMs)
      const cpu = median(list.map((cost, round) => cost.cpuMs / own[round]!.cpuMs))
      console.log(`    ${opponent.peer.name}, ${best.get(opponent)!}: ${costs(list)}`)
      const found = { ratio: median(ratios), ratioMin: Math.min(...ratios), ratioMax: Math.max(...ratios) }
      console.log(`    ${reportLine(`${opponent.peer.name} : ours`, found, opponent.bar)}; by CPU ${cpu.toFixed(2)}`)
    }
  }

  /** Returns the fastest fitting way of the peer, by the better of two runs each. */
  async #best({ peer, kind, fits }: Opponent, expected: string): Promise<string> {
    const found: { query: string; wallMs: number }[] = []
    for (const query of peer.queries.filter((name) => name.startsWith(`${kind} `) && fits(name))) {
      const runs = [await this.#measurePeer(peer, query, expected), await this.#measurePeer(peer, query, expected)]
      found.push({ query, wallMs: Math.min(...runs.map((run) => run.wallMs)) })
    }
    return found.sort((a, b) => a.wallMs - b.wallMs)[0]!.query
  }

  async #measurePeer(peer: Peer, query: string, expected: string): Promise<Cost> {
    const { wall_ms: wallMs, cpu_ms: cpuMs, answer } = await peer.send(query)
    this.#check(`${peer.name}, ${query}`, JSON.stringify(answer), expected)
    return { wallMs, cpuMs }
  }

  async #measure(expected: string): Promise<Cost> {
    const before = process.cpuUsage()
    const start = performance.now()
    const answer = await this.#ours.run()
    const wallMs = performance.now() - start
    const { user, system } = process.cpuUsage(before)
    this.#check('ours', JSON.stringify(answer), expected)
    return { wallMs, cpuMs: (user + system) / 1_000 }
  }

  #check(who: string, answer: string, expected: string): void {
    if (answer !== expected)
      throw new Error(
        `${this.#what}: the answer of ${who} is ${answer.slice(0, 300)}, ours was ${expected.slice(0, 300)}`,
      )
  }
}

function costs(list: readonly Cost[]): string {
  const wall = list.map((cost) => cost.wallMs)
  const cpu = median(list.map((cost) => cost.cpuMs))
  return `wall ${median(wall).toFixed(0)} ms (least ${Math.min(...wall).toFixed(0)}), CPU ${cpu.toFixed(0)} ms`
}

import { setTimeout as pause } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'
import { describeLoss, lossOf, type PartHealth, type EventLog, type LaneLoss } from '@hopper/storage'
/** A broker that has just become the leader of a lane may be behind for a moment, so the log is asked twice. */
const CONFIRM_MS = 1_000
/** A lane that was given to another aggregator since is no longer looked at here. */
const SEEN_MS = 20_000

/** Is told of losses. */
export interface LostLogger {
  error(details: object, message: string): void
  info(details: object, message: string): void
}

/**
 * Lanes that stand still because the log has lost what comes next in them: retention has passed them, or the topic was
 * made again.
 */
export class LostLanes {
  readonly #log: Pick<EventLog, 'starts' | 'ends'>
  readonly #logger: LostLogger | undefined
  /** by lane, at most one for each */
  readonly #lost = new Map<number, { readonly loss: LaneLoss; readonly until: number }>()

  constructor(log: Pick<EventLog, 'starts' | 'ends'>, logger: LostLogger | undefined) {
    this.#log = log
    this.#logger = logger
  }

  has(lane: number): boolean {
    return this.#lost.has(lane)
  }

  now(): LaneLoss[] {
    const now = performance.now()
    return [...this.#lost.values()].filter(({ until }) => until > now).map(({ loss }) => loss)
  }

  health(): PartHealth {
    const lost = this.now()
    if (lost.length === 0) return { name: 'lanes', healthy: true }
    return { name: 'lanes', healthy: false, detail: lost.map(describeLoss).join('; ') }
  }

  /** @throws HopperError HOP_DATA_DAMAGED when the log cannot go on from that position of the lane */
  async assertReached(lane: number, position: number): Promise<void> {
    const loss = (await this.#lossAt(lane, position)) && (await pause(CONFIRM_MS), await this.#lossAt(lane, position))
    const known = this.#lost.get(lane)?.loss
    if (!loss) {
      if (this.#lost.delete(lane)) this.#logger?.info({ lane, position }, 'a lane that stood still goes on')
      return
    }
    this.#lost.set(lane, { loss, until: performance.now() + SEEN_MS })
    const message = `The log does not fit the tables: ${describeLoss(loss)}.`
    const error = new HopperError('HOP_DATA_DAMAGED', message, { details: loss })
    if (known?.first !== loss.first || known.next !== loss.next) {
      const toDo = 'restore its log, or start an aggregator once with --accept-loss'
      this.#logger?.error({ ...loss, err: error }, `a lane stands still: ${toDo}`)
    }
    throw error
  }

  async #lossAt(lane: number, position: number): Promise<LaneLoss | undefined> {
    const [starts, ends] = await Promise.all([this.#log.starts?.() ?? [], this.#log.ends()])
    return lossOf(lane, position, { start: starts[lane] ?? 0, end: ends[lane] ?? 0 })
  }
}

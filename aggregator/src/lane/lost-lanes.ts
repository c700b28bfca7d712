import { setTimeout as pause } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'
import { describeLoss, lossOf, type PartHealth, type EventLog, type LaneLoss } from '@hopper/storage'

/** Delay before a loss is confirmed: a broker that has just become the leader of a lane may lag for a moment. */
const CONFIRM_MS = 1_000
/**
 * A loss is forgotten after this time: the lane may have been assigned to another aggregator, so that this one no
 * longer checks it.
 */
const SEEN_MS = 20_000

/** Logger that receives losses. */
export interface LostLogger {
  error(details: object, message: string): void
  info(details: object, message: string): void
}

/**
 * Tracks lanes that are stalled because the log has lost their next messages: retention has passed them, or the topic
 * was created again.
 */
export class LostLanes {
  readonly #log: Pick<EventLog, 'starts' | 'ends'>
  readonly #logger: LostLogger | undefined
  /** losses by lane */
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

  /** @throws HopperError HOP_DATA_DAMAGED when the log cannot continue from that position of the lane */
  async assertReached(lane: number, position: number): Promise<void> {
    const loss = (await this.#lossAt(lane, position)) && (await pause(CONFIRM_MS), await this.#lossAt(lane, position))
    const known = this.#lost.get(lane)?.loss
    if (!loss) {
      if (this.#lost.delete(lane)) this.#logger?.info({ lane, position }, 'a stalled lane continues')
      return
    }
    this.#lost.set(lane, { loss, until: performance.now() + SEEN_MS })
    const message = `The log does not fit the tables: ${describeLoss(loss)}.`
    const error = new HopperError('HOP_DATA_DAMAGED', message, { details: loss })
    if (known?.first !== loss.first || known.next !== loss.next) {
      const toDo = 'restore its log, or start an aggregator once with --accept-loss'
      this.#logger?.error({ ...loss, err: error }, `a lane is stalled: ${toDo}`)
    }
    throw error
  }

  async #lossAt(lane: number, position: number): Promise<LaneLoss | undefined> {
    const [starts, ends] = await Promise.all([this.#log.starts?.() ?? [], this.#log.ends()])
    return lossOf(lane, position, { start: starts[lane] ?? 0, end: ends[lane] ?? 0 })
  }
}

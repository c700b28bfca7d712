import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { PROCESSES_MAX, PROCESS_KEPT_MS, PROCESS_SEEN_MS, type ProcessReport } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { LastProblems } from './last-problems.ts'
import { version } from '../version.ts'

/** Delay before a problem is stored, so that problems in quick succession are stored together. */
const STORE_SOON_MS = 1_000
/** Maximum time that an ending process waits for its last report. */
const LAST_MS_MAX = 2_000

interface Reported {
  readonly registry: Pick<Registry, 'processes'>
  /** as in the log */
  readonly name: string
  readonly problems: LastProblems
  readonly clock?: () => number
  readonly everyMs?: number
}

/** Stores which process this is and what its last problems are: at its start, each minute, and soon after a problem. */
export class ProblemReport {
  readonly #reported: Reported
  readonly #clock: () => number
  readonly #id = randomUUID()
  readonly #startedAt: number
  readonly #timer: NodeJS.Timeout
  #soon: NodeJS.Timeout | undefined
  #storing: Promise<void> = Promise.resolve()

  constructor(reported: Reported) {
    this.#reported = reported
    this.#clock = reported.clock ?? Date.now
    this.#startedAt = this.#clock()
    this.#timer = setInterval(() => void this.store(), reported.everyMs ?? PROCESS_SEEN_MS).unref()
    reported.problems.onProblem = () => {
      this.#soon ??= setTimeout(() => void this.store(), STORE_SOON_MS).unref()
    }
    void this.store()
  }

  /**
   * Stores the report, after any that is being stored. Never rejects: the next report includes everything in this one.
   */
  store(more: Pick<ProcessReport, 'ended_at'> = {}): Promise<void> {
    clearTimeout(this.#soon)
    this.#soon = undefined
    return (this.#storing = this.#storing.then(() => this.#store(more)).catch(() => undefined))
  }

  /** Stores the last report of a process that ends, as far as that is possible in a short time. */
  async close(isOrderly = true): Promise<void> {
    clearInterval(this.#timer)
    this.#reported.problems.onProblem = undefined
    const stored = this.store(isOrderly ? { ended_at: this.#clock() } : {})
    await Promise.race([stored, pause(LAST_MS_MAX, undefined, { ref: false })])
  }

  async #store(more: Pick<ProcessReport, 'ended_at'>): Promise<void> {
    const { registry, name, problems } = this.#reported
    const now = this.#clock()
    const report = { id: this.#id, name, version, started_at: this.#startedAt, seen_at: now, ...more }
    await registry.processes.put('', this.#id, { ...report, problems: [...problems.all] })
    const newestFirst = [...(await registry.processes.list(''))].sort((a, b) => b.seen_at - a.seen_at)
    for (const [n, { id, seen_at }] of newestFirst.entries())
      if (n >= PROCESSES_MAX || now - seen_at > PROCESS_KEPT_MS) await registry.processes.remove('', id)
  }
}

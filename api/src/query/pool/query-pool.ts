import { availableParallelism } from 'node:os'
import { HopperError } from '@hopper/contracts'
import { FairOrder } from '../sharing/fair-order.ts'
import type { WorkerJob } from './query-job.ts'
import { QueryThreadHandle, type JobHost } from './query-thread-handle.ts'
import { runParts } from '../runs/run-parts.ts'
import { Shares, type Requester, type ShareBounds } from '../sharing/shares.ts'
import { partsMaxOf } from './split-task.ts'

/** How many threads and waiting queries there are at most, and how much of both one app and one caller may have. */
export interface PoolBounds {
  readonly threadsMax: number
  readonly threadsPerAppMax: number
  /** default: as many as an app */
  readonly threadsPerCallerMax?: number
  readonly waitingMax: number
  readonly waitingPerAppMax?: number
  readonly waitingPerCallerMax?: number
  /** from how many rows on a funnel is shared by threads */
  readonly splitRowsMin: number
  /** a query that has had a thread this long gives it up once when others have none */
  readonly sliceMs?: number
}

/**
 * A funnel over fewer rows is answered by one thread in about 30 ms out of its cached columns; another thread costs 3
 * ms, and reads identities again.
 */
const SPLIT_ROWS_MIN = 2_000_000
const SLICE_MS = 2_000

/**
 * Threads are places here, not cores: their priority is low (see `query-thread.ts`), so however many compute, HTTP and
 * the log go first. Three at least, so that long queries of one app leave threads to its others and to other apps.
 */
const QUERY_THREADS_MAX = Math.max(3, Math.min(4, availableParallelism() - 1))
/** Every app, and every caller, leaves a thread and half of the queue to others. */
export const queryBounds: PoolBounds = {
  threadsMax: QUERY_THREADS_MAX,
  threadsPerAppMax: QUERY_THREADS_MAX - 1,
  waitingMax: 128,
  waitingPerAppMax: 64,
  waitingPerCallerMax: 48,
  splitRowsMin: SPLIT_ROWS_MIN,
  sliceMs: SLICE_MS,
}

/** How long somebody waits, at most. */
export interface Wait {
  /** on the clock of `performance.now()`; grows when others come to wait for the same */
  until(): number
  readonly signal: AbortSignal
}

interface Waiting extends Requester {
  readonly isLong: boolean
  start(thread: QueryThreadHandle): void
}

/**
 * The threads of queries. They are shared fairly by app and caller, and by time: who needs long makes room once for
 * those who have had no thread yet.
 */
export class QueryPool {
  readonly #bounds: PoolBounds
  readonly #running: ShareBounds
  readonly #waitingBounds: ShareBounds
  readonly #sliceMs: number
  readonly #threads = new Set<QueryThreadHandle>()
  readonly #atWork = new Shares()
  readonly #order = new FairOrder(this.#atWork)
  readonly #turns = new Set<Turn>()
  /** in the order of arrival */
  readonly #waiting = new Set<Waiting>()
  readonly #waitingShares = new Shares()
  #slice: NodeJS.Timeout | undefined

  constructor(bounds: PoolBounds) {
    const {
      threadsMax,
      threadsPerAppMax,
      threadsPerCallerMax = threadsPerAppMax,
      waitingMax,
      waitingPerAppMax = waitingMax,
      waitingPerCallerMax = waitingMax,
    } = bounds
    this.#bounds = bounds
    this.#running = { total: threadsMax, perApp: threadsPerAppMax, perCaller: threadsPerCallerMax }
    this.#waitingBounds = { total: waitingMax, perApp: waitingPerAppMax, perCaller: waitingPerCallerMax }
    this.#sliceMs = bounds.sliceMs ?? SLICE_MS
  }

  /** @throws HopperError HOP_SHARE or HOP_QUERY_BUSY when no more of the asker may wait */
  assertRoom(asker: Requester): void {
    this.#waitingShares.assertRoom(asker, this.#waitingBounds, 'queries_waiting')
  }

  /**
   * Resolves with a thread, as soon as there is one for the asker, who ends the turn.
   * @param isLong of one that has made room for others before: those who may be quicker go first, and it is not stopped
   * again
   * @throws HopperError HOP_QUERY_TIMEOUT when the time is over before, HOP_SHARE or HOP_QUERY_BUSY when too many wait
   */
  async turn(asker: Requester, wait: Wait, isLong: boolean): Promise<Turn> {
    if (!isLong) this.assertRoom(asker)
    return this.#enter(asker, wait, isLong)
  }

  /** threads at work, and queries that wait for one */
  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.#atWork.total, waiting: this.#waiting.size }
  }

  async close(): Promise<void> {
    clearTimeout(this.#slice)
    await Promise.all([...this.#threads].map((thread) => thread.end()))
  }

  #enter(asker: Requester, { until, signal }: Wait, isLong: boolean): Promise<Turn> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', aborted)
        if (this.#waiting.delete(waiting)) this.#waitingShares.remove(asker)
      }
      const late = (): void => {
        const leftMs = until() - performance.now()
        if (leftMs > 0) return void (timer = setTimeout(late, leftMs))
        leave()
        reject(new HopperError('HOP_QUERY_TIMEOUT', 'The query waited for others until its time limit; ask again.'))
      }
      const aborted = (): void => {
        leave()
        reject(clientGone())
      }
      const start = (thread: QueryThreadHandle): void => {
        leave()
        resolve(
          this.#begin(
            new Turn(asker, thread, isLong, {
              helpers: (task, turn) => this.#helpers(task, turn),
              ended: (turn) => this.#ended(turn),
            }),
          ),
        )
      }
      const waiting: Waiting = { ...asker, isLong, start }
      let timer = setTimeout(late, Math.max(0, until() - performance.now()))
      signal.addEventListener('abort', aborted)
      this.#waiting.add(waiting)
      this.#waitingShares.add(asker)
      if (signal.aborted) aborted()
      else if (until() <= performance.now()) late()
      else this.#next()
    })
  }

  #begin(turn: Turn): Turn {
    this.#turns.add(turn)
    this.#atWork.add(turn.asker)
    this.#order.served(turn.asker)
    return turn
  }

  #ended(turn: Turn): void {
    if (!this.#turns.delete(turn)) return
    this.#atWork.remove(turn.asker, turn.threads.length)
    for (const thread of turn.threads) if (thread.ended) this.#threads.delete(thread)
    this.#next()
  }

  #next(): void {
    for (;;) {
      const waiting = this.#order.first(this.#startable())
      const thread = waiting && this.#free(waiting.app)
      if (!thread) break
      waiting.start(thread)
    }
    this.#watchSlices()
  }

  /** Those within their shares. Long ones leave a thread to those who may be quick. */
  #startable(): Waiting[] {
    const now = performance.now()
    const longMax = Math.max(1, this.#bounds.threadsMax - 1)
    const roomForLong = [...this.#turns].filter((turn) => turn.isLongAt(now, this.#sliceMs)).length < longMax
    const shares = { ...this.#running, total: Infinity }
    return [...this.#waiting].filter((each) => this.#atWork.hasRoom(each, shares) && (roomForLong || !each.isLong))
  }

  /** When somebody could start but for a thread, the youngest of those who have had one for a slice makes room. */
  #watchSlices(): void {
    clearTimeout(this.#slice)
    this.#slice = undefined
    if (!this.#startable().some(({ isLong }) => !isLong)) return
    const now = performance.now()
    const turns = [...this.#turns].filter((turn) => !turn.isLong && !turn.hasMadeRoom)
    const due = turns.filter((turn) => turn.isLongAt(now, this.#sliceMs)).sort((a, b) => b.startedAt - a.startedAt)[0]
    if (due) return due.makeRoom()
    const first = Math.min(...turns.map(({ startedAt }) => startedAt))
    if (first < Infinity) this.#slice = setTimeout(() => this.#next(), first + this.#sliceMs - now).unref()
  }

  /** More threads for a task that can be shared by several, as long as nobody waits. */
  #helpers(task: WorkerJob, turn: Turn): QueryThreadHandle[] {
    const partsMax = this.#waiting.size > 0 ? 1 : partsMaxOf(task, this.#bounds.splitRowsMin)
    const threads: QueryThreadHandle[] = []
    while (turn.threads.length + threads.length < partsMax && this.#atWork.hasRoom(turn.asker, this.#running)) {
      const thread = this.#free(turn.asker.app, threads)
      if (!thread) break
      threads.push(thread)
      this.#atWork.add(turn.asker)
    }
    return threads
  }

  /** A thread that has worked for this app knows its columns. */
  #free(app: string, taken: readonly QueryThreadHandle[] = []): QueryThreadHandle | undefined {
    const busy = new Set([...taken, ...[...this.#turns].flatMap(({ threads }) => threads)])
    const free = [...this.#threads].filter((thread) => !busy.has(thread) && !thread.ended)
    const known = free.find((thread) => thread.app === app)
    if (known) return known
    if (busy.size >= this.#bounds.threadsMax) return undefined
    if (this.#threads.size >= this.#bounds.threadsMax) return free[0]
    const thread = new QueryThreadHandle()
    this.#threads.add(thread)
    return thread
  }
}

interface TurnHost {
  helpers(task: WorkerJob, turn: Turn): QueryThreadHandle[]
  ended(turn: Turn): void
}

/** A thread that somebody has for a while, and those that help it. */
export class Turn {
  readonly asker: Requester
  readonly startedAt = performance.now()
  /** whether it made room once already */
  readonly isLong: boolean
  readonly #threads: QueryThreadHandle[]
  readonly #host: TurnHost
  readonly #stop = new AbortController()
  #hasMadeRoom = false

  constructor(asker: Requester, thread: QueryThreadHandle, isLong: boolean, host: TurnHost) {
    this.asker = asker
    this.#threads = [thread]
    this.isLong = isLong
    this.#host = host
  }

  get threads(): readonly QueryThreadHandle[] {
    return this.#threads
  }

  get hasMadeRoom(): boolean {
    return this.#hasMadeRoom
  }

  /**
   * Answers the result as JSON.
   * @throws MadeRoom when others needed the thread
   */
  async run(task: WorkerJob, host: JobHost, { until, signal }: Wait): Promise<Uint8Array> {
    this.#threads.push(...this.#host.helpers(task, this))
    const stop = AbortSignal.any([signal, this.#stop.signal])
    const answer: JobHost['answer'] = async (asked) => (stop.aborted ? undefined : host.answer(asked))
    try {
      return await runParts(this.#threads, task, { ...host, answer }, until() - performance.now(), stop)
    } catch (error) {
      throw this.#hasMadeRoom && !signal.aborted ? new MadeRoom() : error
    }
  }

  isLongAt(now: number, sliceMs: number): boolean {
    return this.isLong || now - this.startedAt >= sliceMs
  }

  makeRoom(): void {
    this.#hasMadeRoom = true
    this.#stop.abort()
  }

  /** Gives the threads back; none of them is at work any more. */
  end(): void {
    this.#host.ended(this)
  }
}

/** A query was stopped because others waited for a thread: it begins again when they have had their turns. */
export class MadeRoom extends Error {}

/** What a query ends with whose client has gone; nobody reads it. */
export function clientGone(): HopperError {
  return new HopperError('HOP_QUERY_TIMEOUT', 'The client went away.')
}

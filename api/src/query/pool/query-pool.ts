import { availableParallelism } from 'node:os'
import { HopperError } from '@hopper/contracts'
import { FairOrder } from '../sharing/fair-order.ts'
import type { WorkerJob } from './query-job.ts'
import { QueryThreadHandle, type JobHost } from './query-thread-handle.ts'
import { runParts } from '../runs/run-parts.ts'
import { Shares, type Requester, type ShareBounds } from '../sharing/shares.ts'
import { partsMaxOf } from './split-job.ts'

/** Maximum numbers of threads and queued queries, in total and per app and caller. */
export interface PoolBounds {
  readonly threadsMax: number
  readonly threadsPerAppMax: number
  /** default: the maximum of an app */
  readonly threadsPerCallerMax?: number
  readonly waitingMax: number
  readonly waitingPerAppMax?: number
  readonly waitingPerCallerMax?: number
  /** minimum number of rows for which a funnel is split across threads */
  readonly splitRowsMin: number
  /** a query that has had its thread for this long gives it up once, if other queries wait for one */
  readonly sliceMs?: number
}

/**
 * One thread answers a funnel over fewer rows in about 30 ms from its cached columns. Another thread costs 3 ms and has
 * to read the identities again.
 */
const SPLIT_ROWS_MIN = 2_000_000
const SLICE_MS = 2_000

/**
 * Threads are slots here, not cores: their priority is low (see `query-thread.ts`), so HTTP and the log take precedence
 * however many of them compute. At least three, so that long queries of one app leave threads to its other queries and
 * to other apps.
 */
const QUERY_THREADS_MAX = Math.max(3, Math.min(4, availableParallelism() - 1))
/** Default bounds: every app and every caller leaves a thread and half of the queue to others. */
export const queryBounds: PoolBounds = {
  threadsMax: QUERY_THREADS_MAX,
  threadsPerAppMax: QUERY_THREADS_MAX - 1,
  waitingMax: 128,
  waitingPerAppMax: 64,
  waitingPerCallerMax: 48,
  splitRowsMin: SPLIT_ROWS_MIN,
  sliceMs: SLICE_MS,
}

/** The limits of a wait for a thread. */
export interface Wait {
  /** deadline, by `performance.now()`; it moves when more clients join the same query */
  readonly until: () => number
  readonly signal: AbortSignal
}

interface Waiting extends Requester {
  readonly isLong: boolean
  start(thread: QueryThreadHandle): void
}

/**
 * Schedules query threads fairly by app, caller and time: a long query yields its thread once to queries that have not
 * had one yet.
 */
export class QueryPool {
  readonly #bounds: PoolBounds
  readonly #runningBounds: ShareBounds
  readonly #waitingBounds: ShareBounds
  readonly #sliceMs: number
  readonly #threads = new Set<QueryThreadHandle>()
  readonly #running = new Shares()
  readonly #order = new FairOrder(this.#running)
  readonly #turns = new Set<Turn>()
  /** in arrival order */
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
    this.#runningBounds = { total: threadsMax, perApp: threadsPerAppMax, perCaller: threadsPerCallerMax }
    this.#waitingBounds = { total: waitingMax, perApp: waitingPerAppMax, perCaller: waitingPerCallerMax }
    this.#sliceMs = bounds.sliceMs ?? SLICE_MS
  }

  /** @throws HopperError HOP_SHARE or HOP_QUERY_BUSY if the requester may not queue another query */
  assertRoom(requester: Requester): void {
    this.#waitingShares.assertRoom(requester, this.#waitingBounds, 'queries_waiting')
  }

  /**
   * Resolves once a thread is assigned to the requester, who must end the turn.
   * @param isLong true for a query that has yielded before: quicker ones go first, and it is not stopped again
   * @throws HopperError HOP_QUERY_TIMEOUT at the deadline, HOP_SHARE or HOP_QUERY_BUSY if too many are queued
   */
  async turn(requester: Requester, wait: Wait, isLong: boolean): Promise<Turn> {
    if (!isLong) this.assertRoom(requester)
    return this.#enqueue(requester, wait, isLong)
  }

  /** busy threads and queued queries */
  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.#running.total, waiting: this.#waiting.size }
  }

  async close(): Promise<void> {
    clearTimeout(this.#slice)
    await Promise.all([...this.#threads].map((thread) => thread.end()))
  }

  #enqueue(requester: Requester, { until, signal }: Wait, isLong: boolean): Promise<Turn> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        if (this.#waiting.delete(waiting)) this.#waitingShares.remove(requester)
      }
      const late = (): void => {
        const leftMs = until() - performance.now()
        if (leftMs > 0) return void (timer = setTimeout(late, leftMs))
        leave()
        reject(new HopperError('HOP_QUERY_TIMEOUT', 'The query waited for others until its time limit; try again.'))
      }
      const onAbort = (): void => {
        leave()
        reject(clientGone())
      }
      const start = (thread: QueryThreadHandle): void => {
        leave()
        resolve(
          this.#begin(
            new Turn(requester, thread, isLong, {
              helpers: (job, turn) => this.#helpers(job, turn),
              onEnded: (turn) => this.#removeTurn(turn),
            }),
          ),
        )
      }
      const waiting: Waiting = { ...requester, isLong, start }
      let timer = setTimeout(late, Math.max(0, until() - performance.now()))
      signal.addEventListener('abort', onAbort)
      this.#waiting.add(waiting)
      this.#waitingShares.add(requester)
      if (signal.aborted) onAbort()
      else if (until() <= performance.now()) late()
      else this.#next()
    })
  }

  #begin(turn: Turn): Turn {
    this.#turns.add(turn)
    this.#running.add(turn.requester)
    this.#order.served(turn.requester)
    return turn
  }

  #removeTurn(turn: Turn): void {
    if (!this.#turns.delete(turn)) return
    this.#running.remove(turn.requester, turn.threads.length)
    for (const thread of turn.threads) if (thread.hasEnded) this.#threads.delete(thread)
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

  /** Lists the queued queries within their shares. Long ones leave a thread for quick ones. */
  #startable(): Waiting[] {
    const now = performance.now()
    const longMax = Math.max(1, this.#bounds.threadsMax - 1)
    const roomForLong = [...this.#turns].filter((turn) => turn.isLongAt(now, this.#sliceMs)).length < longMax
    const shares = { ...this.#runningBounds, total: Infinity }
    return [...this.#waiting].filter((each) => this.#running.hasRoom(each, shares) && (roomForLong || !each.isLong))
  }

  /** If a query could start but for a thread, makes the most recently started of the queries past their slice yield. */
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

  /** Assigns additional threads to a query that can be split, as long as nobody waits. */
  #helpers(job: WorkerJob, turn: Turn): QueryThreadHandle[] {
    const partsMax = this.#waiting.size > 0 ? 1 : partsMaxOf(job, this.#bounds.splitRowsMin)
    const threads: QueryThreadHandle[] = []
    while (
      turn.threads.length + threads.length < partsMax &&
      this.#running.hasRoom(turn.requester, this.#runningBounds)
    ) {
      const thread = this.#free(turn.requester.app, threads)
      if (!thread) break
      threads.push(thread)
      this.#running.add(turn.requester)
    }
    return threads
  }

  /** Finds a free thread, preferably one that has worked for this app and has its columns cached. */
  #free(app: string, taken: readonly QueryThreadHandle[] = []): QueryThreadHandle | undefined {
    const busy = new Set([...taken, ...[...this.#turns].flatMap(({ threads }) => threads)])
    const free = [...this.#threads].filter((thread) => !busy.has(thread) && !thread.hasEnded)
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
  helpers(job: WorkerJob, turn: Turn): QueryThreadHandle[]
  onEnded(turn: Turn): void
}

/** Outcome of a turn that did not fail. */
export type TurnOutcome =
  | { readonly kind: 'finished'; readonly json: Uint8Array }
  /** the host has ended the job: it answered a request with undefined */
  | { readonly kind: 'ended' }
  /** others waited for a thread: the job can run again in a later turn */
  | { readonly kind: 'yielded' }

/** A thread that is assigned to a query for a while, with its helper threads. */
export class Turn {
  readonly requester: Requester
  readonly startedAt = performance.now()
  /** true if the query has yielded before */
  readonly isLong: boolean
  readonly #threads: QueryThreadHandle[]
  readonly #host: TurnHost
  readonly #stop = new AbortController()
  #hasMadeRoom = false

  constructor(requester: Requester, thread: QueryThreadHandle, isLong: boolean, host: TurnHost) {
    this.requester = requester
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
   * Runs a job.
   * @throws HopperError if it fails, or if its client has left
   */
  async run(job: WorkerJob, host: JobHost, { until, signal }: Wait): Promise<TurnOutcome> {
    this.#threads.push(...this.#host.helpers(job, this))
    const stop = AbortSignal.any([signal, this.#stop.signal])
    let isEnded = false
    const answer: JobHost['answer'] = async (request) => {
      if (stop.aborted) return undefined
      const given = await host.answer(request)
      isEnded ||= given === undefined
      return given
    }
    const outcome = await runParts(this.#threads, job, { ...host, answer }, until() - performance.now(), stop)
    if (outcome.kind === 'finished') return outcome
    // Parts that are stopped because the host has ended the job may fail.
    if (isEnded) return { kind: 'ended' }
    if (this.#hasMadeRoom && !signal.aborted) return { kind: 'yielded' }
    throw outcome.kind === 'failed' ? outcome.error : clientGone()
  }

  isLongAt(now: number, sliceMs: number): boolean {
    return this.isLong || now - this.startedAt >= sliceMs
  }

  makeRoom(): void {
    this.#hasMadeRoom = true
    this.#stop.abort()
  }

  /** Releases the threads; none of them may be busy. */
  end(): void {
    this.#host.onEnded(this)
  }
}

/** Creates the error of a query whose client has disconnected; nobody reads it. */
export function clientGone(): HopperError {
  return new HopperError('HOP_QUERY_TIMEOUT', 'The client disconnected.')
}

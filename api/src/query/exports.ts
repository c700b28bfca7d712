import type { Readable } from 'node:stream'
import { HopperError, type ChunkSummary } from '@hopper/contracts'
import type { QueryContext } from '@hopper/engine'
import { PartStream } from './part-stream.ts'
import type { WorkerRequest, Reply, WorkerJob } from './pool/query-job.ts'
import { clientGone, QueryPool, type PoolBounds, type Turn } from './pool/query-pool.ts'
import type { ExportPart, ExportPlace, ExportRequest } from './query.ts'
import type { Client } from './sharing/shared-runs.ts'
import { Shares, type Requester, type ShareBounds } from './sharing/shares.ts'

/** time limit of an export, which otherwise takes as long as its client needs */
const EXPORT_LIMIT_MS = 6 * 3_600_000
/** time that a thread waits for the client to read before it does other work */
const PAUSE_AFTER_MS = 250
/** time after which an export gives its thread to others that wait */
const SLICE_MS = 1_000
/** Minimum read rate while data is pending; the export of a slower client is ended. */
const SLOWEST = { bytes: 65_536, ms: 60_000 }
const CHUNKS_PER_SLICE = 64
/**
 * Bounds of open exports. A client that does not read occupies no thread, only its place here and a few hundred
 * kilobytes.
 */
const openBounds: ShareBounds = { total: 32, perApp: 16, perCaller: 8 }
const poolBounds: PoolBounds = {
  threadsMax: 2,
  threadsPerAppMax: 1,
  waitingMax: openBounds.total,
  splitRowsMin: Infinity,
  sliceMs: Infinity,
}

/** The archive access that exports need. */
export interface ExportHost {
  cells(request: WorkerRequest & { ask: 'cells' }): Promise<Reply['answer']>
}

interface OpenExport {
  readonly requester: Requester
  readonly request: Omit<ExportRequest, keyof ExportPart>
  readonly chunks: readonly ChunkSummary[]
  readonly context: QueryContext
  readonly parts: PartStream
  readonly left: AbortController
}

/** Runs exports. Each occupies a thread only while its client reads. */
export class Exports {
  readonly #host: ExportHost
  readonly #slowest: typeof SLOWEST
  readonly #pool = new QueryPool(poolBounds)
  readonly #open = new Shares()

  constructor(host: ExportHost, slowest = SLOWEST) {
    this.#host = host
    this.#slowest = slowest
  }

  get open(): number {
    return this.#open.total
  }

  /**
   * Reserves a place for an export and returns the function that releases it.
   * @throws HopperError HOP_SHARE or HOP_QUERY_BUSY
   */
  enter(requester: Requester): () => void {
    this.#open.assertRoom(requester, openBounds, 'exports')
    this.#open.add(requester)
    let isOpen = true
    return () => {
      if (isOpen) this.#open.remove(requester)
      isOpen = false
    }
  }

  /**
   * Starts an export and resolves with its first part. The stream ends early, with an error, if the rest cannot be read
   * or the client is too slow.
   */
  async begin(
    app: string,
    request: OpenExport['request'],
    chunks: OpenExport['chunks'],
    context: QueryContext,
    client: Client,
    leave: () => void,
  ): Promise<Readable> {
    const parts = new PartStream()
    const left = new AbortController()
    const stop = (): void => left.abort(client.signal.reason)
    client.signal.addEventListener('abort', stop)
    const watch = this.#watch(parts)
    parts
      .on('error', () => undefined)
      .once('close', () => {
        left.abort()
        clearInterval(watch)
        client.signal.removeEventListener('abort', stop)
        leave()
      })
    if (client.signal.aborted) stop()
    const { promise: started, resolve: onStart } = Promise.withResolvers<void>()
    const whole = this.#all(
      { requester: { app, caller: client.caller ?? '' }, request, chunks, context, parts, left },
      onStart,
    )
    whole.then(
      () => parts.end(),
      (error: Error) => parts.destroy(error),
    )
    await Promise.race([started, whole])
    return parts
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  /** Runs the export slice by slice. Between slices, an export that waits for its client has no thread. */
  async #all(exported: OpenExport, onStart: () => void): Promise<void> {
    const until = performance.now() + EXPORT_LIMIT_MS
    const {
      requester,
      chunks,
      parts,
      left: { signal },
    } = exported
    for (
      let first = 0, place: ExportPlace = { chunk: 0, row: 0 }, isFirst = true, isDone = false;
      !isDone;
      isFirst = false
    ) {
      const turn = await this.#pool.turn(requester, { until: () => until, signal }, false)
      const selected = chunks.slice(first, first + CHUNKS_PER_SLICE)
      const isLast = first + selected.length >= chunks.length
      const paused = await this.#slice(
        exported,
        { own: selected, place, isFirst, isLast, turn, until },
        onStart,
      ).finally(() => turn.end())
      first += paused ? paused.chunk : selected.length
      place = { chunk: 0, row: paused?.row ?? 0 }
      isDone = isLast && paused === null
      if (!isDone && !(await parts.wantsMore(until - performance.now()))) throw new HopperError('HOP_SLOW_READER')
    }
  }

  async #slice(
    { request, context, parts, requester, left }: OpenExport,
    slice: Slice,
    onStart: () => void,
  ): Promise<ExportPlace | null> {
    const { own, place: start, isFirst, isLast, turn, until } = slice
    const answer = async (message: WorkerRequest): Promise<Reply['answer']> => {
      if (message.ask === 'cells') return this.#host.cells(message)
      if (message.ask !== 'take') return undefined
      onStart()
      parts.deliver(message.bytes)
      const wantsMore = await parts.wantsMore(PAUSE_AFTER_MS)
      if (wantsMore === false) return undefined
      const isOver = this.#pool.load.waiting > 0 && performance.now() - turn.startedAt >= SLICE_MS
      return wantsMore && !isOver ? 'go on' : 'pause'
    }
    const job: WorkerJob = {
      app: requester.app,
      question: { kind: 'export', request: { ...request, start, isFirst, isLast } },
      context,
      chunks: own,
      identifying: [],
      history: [],
    }
    const outcome = await turn.run(
      job,
      { answer, progress: () => undefined },
      { until: () => until, signal: left.signal },
    )
    // These threads are never asked to yield, so only a client that has left ends a slice early.
    if (outcome.kind !== 'finished') throw clientGone()
    return JSON.parse(Buffer.from(outcome.json).toString()) as ExportPlace | null
  }

  #watch(parts: PartStream): NodeJS.Timeout {
    let taken = 0
    return setInterval(() => {
      const waits = parts.readableLength > 0
      if (waits && parts.taken - taken < this.#slowest.bytes) parts.destroy(new HopperError('HOP_SLOW_READER'))
      taken = parts.taken
    }, this.#slowest.ms).unref()
  }
}

interface Slice {
  readonly own: readonly ChunkSummary[]
  readonly place: ExportPlace
  readonly isFirst: boolean
  readonly isLast: boolean
  readonly turn: Turn
  readonly until: number
}

import type { Readable } from 'node:stream'
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common'
import { HopperError, type ChunkSummary } from '@hopper/contracts'
import type { QueryContext } from '@hopper/engine'
import type { Archive, ChunkRange } from '@hopper/storage'
import { Gauge, type Registry as Metrics } from 'prom-client'
import { ARCHIVE, METRICS, QUERY_LIMIT_MS } from '../tokens.ts'
import { BoundedMap } from './bounded-map.ts'
import { canonicalJson, fingerprintOf } from './fingerprint.ts'
import { PartStream } from './part-stream.ts'
import type { Cells, Task, Want } from './query-job.ts'
import { exportBounds, QueryPool, queryBounds } from './query-pool.ts'
import type { JobHost } from './query-thread-handle.ts'
import type { ExportRequest, Question, Results } from './question.ts'
import { reachOf, type Reach } from './reach.ts'
import { SharedRuns, type Client } from './shared-runs.ts'

/** an export takes as long as its client takes */
const EXPORT_LIMIT_MS = 6 * 3_600_000
const FETCHES_AT_ONCE = 16
const SETTLED_BYTES_MAX = 32 * 1024 * 1024
const identifyingNames = ['runs', 'user', 'position', 'index']

export interface Answer<K extends keyof Results = keyof Results> {
  readonly result: Results[K]
  /** everything received before this instant is in the answer */
  readonly completeTo: number
}

/** Questions for the archive: equal ones run once, settled answers are kept, the rest goes to the threads with what they need of the archive. */
@Injectable()
export class ArchiveQuestions implements OnModuleDestroy {
  readonly #archive: Archive | undefined
  readonly #limitMs: number
  readonly #pool: QueryPool
  readonly #exports = new QueryPool(exportBounds)
  readonly #runs = new SharedRuns<Answer>()
  readonly #settled = new BoundedMap<unknown>(SETTLED_BYTES_MAX)

  constructor(@Inject(ARCHIVE) archive: Archive | undefined, @Inject(QUERY_LIMIT_MS) limitMs: number, @Inject(METRICS) metrics: Metrics, bounds = queryBounds) {
    this.#archive = archive
    this.#pool = new QueryPool(bounds)
    this.#limitMs = limitMs
    measureLoad(this.#pool, metrics)
  }

  /** The chunks of an app that overlap a range. */
  list(range: ChunkRange): Promise<readonly ChunkSummary[]> {
    return this.#opened().list(range)
  }

  /** @throws HopperError when the question is not valid, takes too long or finds too many others waiting */
  async ask<K extends keyof Results>(app: string, question: Question & { kind: K }, context: QueryContext, client: Client): Promise<Answer<K>> {
    const reach = reachOf(question, context)
    const listed = await this.list(reach.byPerson ? { app, from: 0, to: Number.MAX_SAFE_INTEGER } : { app, from: reach.from, to: reach.to })
    const chunks = listed.filter((summary) => summary.min_time < reach.to && summary.max_time >= reach.from && reach.mayMatter(summary))
    const identifying = reach.byPerson ? listed.filter(({ columns }) => Object.hasOwn(columns, 'user')) : []
    const asked = canonicalJson([app, context.timezone, question, fingerprintOf(chunks)])
    const key = `${asked}${fingerprintOf(identifying)}`
    const task = { app, question, context, chunks: chunks.map(withoutValues), identifying: identifying.map(narrowed) }
    return this.#runs.join(key, client, (all) => this.#run(task, reach, asked, all)) as Promise<Answer<K>>
  }

  /**
   * All events of a range, encoded. Resolves with the first part; the stream ends early, with an error, when the rest can not be read.
   * @throws HopperError HOP_QUERY_BUSY when too many exports are under way
   */
  async export(app: string, request: ExportRequest, context: QueryContext, signal: AbortSignal): Promise<Readable> {
    const chunks = (await this.list({ app, from: request.from, to: request.to })).map(withoutValues)
    const parts = new PartStream()
    const left = new AbortController()
    const stop = (): void => left.abort(signal.reason)
    signal.addEventListener('abort', stop)
    parts.once('close', () => left.abort())
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const answer: JobHost['answer'] = async (asked) => {
      if (asked.ask === 'cells') return this.#cells(asked.wants)
      begin()
      return asked.ask === 'take' && (await parts.hand(asked.bytes)) ? 'go on' : undefined
    }
    const task = { app, question: { kind: 'export' as const, request }, context, chunks, identifying: [] }
    const whole = this.#exports.run(task, { answer, progress: () => undefined }, EXPORT_LIMIT_MS, left.signal).finally(() => signal.removeEventListener('abort', stop))
    whole.then(() => parts.end(), (error: Error) => parts.destroy(error))
    parts.on('error', () => undefined)
    await Promise.race([begun, whole])
    return parts
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.#pool.close(), this.#exports.close()])
  }

  #opened(): Archive {
    if (!this.#archive) throw new HopperError('HOP_STORE_UNAVAILABLE', 'This installation keeps no archive, so nothing can be asked afterwards.')
    return this.#archive
  }

  async #run(task: Task, reach: Reach, asked: string, client: Client): Promise<Answer> {
    const { completeTo } = task.context
    // The answer to a range that is over depends on nothing but these chunks and on who the devices belong to.
    const over = reach.to <= completeTo
    let key = over && !reach.byPerson ? asked : undefined
    let found = key === undefined ? undefined : this.#settled.get(key)
    if (found !== undefined) return { result: found as Answer['result'], completeTo }
    const host: JobHost = {
      answer: async (question) => {
        if (client.signal.aborted) return undefined
        if (question.ask === 'cells') return this.#cells(question.wants)
        if (question.ask !== 'known') return undefined
        key = over ? `${asked}${question.identities}` : undefined
        found = key === undefined ? undefined : this.#settled.get(key)
        return found === undefined ? 'go on' : undefined
      },
      progress: (progress) => client.progress?.(progress),
    }
    const result = await this.#pool.run(task, host, this.#limitMs, client.signal).catch((error: unknown) => {
      if (found === undefined) throw error
      return found
    })
    if (key !== undefined) this.#settled.put(key, result, JSON.stringify(result).length * 2)
    return { result: result as Answer['result'], completeTo }
  }

  async #cells(wants: readonly Want[]): Promise<Cells[]> {
    const cells: Cells[] = []
    for (let at = 0; at < wants.length; at += FETCHES_AT_ONCE) {
      const some = wants.slice(at, at + FETCHES_AT_ONCE)
      cells.push(...(await Promise.all(some.map(({ summary, names }) => this.#opened().columns(summary, names)))))
    }
    cells.forEach((found, i) => assertAll(wants[i]!, found))
    return cells
  }
}

function measureLoad(pool: QueryPool, metrics: Metrics): void {
  new Gauge({
    name: 'hopper_api_queries', help: 'Queries over the archive: threads that work on them, and queries that wait for one', labelNames: ['state'], registers: [metrics],
    collect() {
      const { running, waiting } = pool.load
      this.set({ state: 'running' }, running)
      this.set({ state: 'waiting' }, waiting)
    },
  })
}

/** A chunk that was listed long ago may be gone by now: better an error than an answer without it. */
function assertAll({ summary, names }: Want, found: Cells): void {
  const absent = names.find((name) => Object.hasOwn(summary.columns, name) && !found.has(name))
  if (absent !== undefined) throw new HopperError('HOP_STORE_UNAVAILABLE', `The archive no longer has the column ${absent} of a chunk.`)
}

/** What a chunk may hold has been looked at already, and is much to send to a thread. */
function withoutValues(summary: ChunkSummary): ChunkSummary {
  return { ...summary, values: {} }
}

function narrowed(summary: ChunkSummary): ChunkSummary {
  return { ...withoutValues(summary), columns: Object.fromEntries(identifyingNames.map((name) => [name, summary.columns[name] ?? 0])) }
}

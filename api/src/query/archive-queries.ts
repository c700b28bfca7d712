import type { Readable } from 'node:stream'
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common'
import { HopperError, type ChunkSummary } from '@hopper/contracts'
import { columnsOfKey, type QueryContext } from '@hopper/engine'
import type { Archive, ChunkRange } from '@hopper/storage'
import { Gauge, type Registry as Metrics } from 'prom-client'
import { ARCHIVE, METRICS, QUERY_LIMIT_MS } from '../tokens.ts'
import { BoundedMap } from './sharing/bounded-map.ts'
import { Exports } from './exports.ts'
import { equalityKey, fingerprintOf } from './fingerprint.ts'
import type { Cells, WorkerJob, ColumnFetch } from './pool/query-job.ts'
import { QueryPool, queryBounds, type Turn, type Wait } from './pool/query-pool.ts'
import type { JobHost } from './pool/query-thread-handle.ts'
import type { ExportPart, ExportRequest, Query, Results } from './query.ts'
import { outlineOf, type Outline } from './scan-scope.ts'
import { Result } from './result.ts'
import {
  historyColumns,
  identifyingColumns,
  withNamedProperties,
  withoutValues,
  withValues,
} from './reduced-summaries.ts'
import { SharedRuns, type Client } from './sharing/shared-runs.ts'
import { isReader, type Requester } from './sharing/shares.ts'

const FETCH_CONCURRENCY = 16
const SETTLED_BYTES_MAX = 32 * 1024 * 1024

/** The encoded result of a query, with the instant up to which it is complete. */
export class Answer<K extends keyof Results = keyof Results> {
  readonly encoded: Result<Results[K]>
  /** the answer includes everything received before this instant */
  readonly completeTo: number

  constructor(encoded: Result<Results[K]>, completeTo: number) {
    this.encoded = encoded
    this.completeTo = completeTo
  }

  /** @see Result.value */
  get result(): Results[K] {
    return this.encoded.value
  }
}

interface Work {
  readonly app: string
  readonly question: Query
  readonly context: QueryContext
  readonly outline: Outline
}

/** Outcome of a run that did not fail; a run that has yielded its thread to others can be repeated. */
type RunOutcome = { readonly kind: 'answered'; readonly answer: Answer } | { readonly kind: 'yielded' }

/**
 * Runs queries over the archive. Equal queries run once, settled answers are cached, and the rest queue for a thread.
 * Work that grows with the query, the archive or the answer runs in that thread, or once the thread is assigned.
 */
@Injectable()
export class ArchiveQueries implements OnModuleDestroy {
  readonly #archive: Archive | undefined
  readonly #limitMs: number
  readonly #pool: QueryPool
  readonly #exports = new Exports({ cells: ({ fetches }) => this.#cells(fetches) })
  /** queued queries, by query */
  readonly #waiting = new SharedRuns<Answer>()
  /** running queries, by query and chunks */
  readonly #runs = new SharedRuns<RunOutcome>()
  readonly #settled = new BoundedMap<Result<unknown>>(SETTLED_BYTES_MAX)

  constructor(
    @Inject(ARCHIVE) archive: Archive | undefined,
    @Inject(QUERY_LIMIT_MS) limitMs: number,
    @Inject(METRICS) metrics: Metrics,
    bounds = queryBounds,
  ) {
    this.#archive = archive
    this.#pool = new QueryPool(bounds)
    this.#limitMs = limitMs
    measureLoad(this.#pool, this.#exports, metrics)
  }

  /** Lists the chunks of an app that overlap a range. */
  list(range: ChunkRange): Promise<readonly ChunkSummary[]> {
    return this.#opened().list(range)
  }

  /**
   * Refuses a requester that has enough queries queued, before any work on the next one.
   * @throws HopperError HOP_SHARE or HOP_QUERY_BUSY
   */
  assertRoom(requester: Requester): void {
    this.#pool.assertRoom(requester)
  }

  /** @throws HopperError if the query is invalid, takes too long, or too many others are queued */
  async ask<K extends keyof Results>(
    app: string,
    question: Query & { kind: K },
    given: QueryContext,
    client: Client,
  ): Promise<Answer<K>> {
    const outline = outlineOf(question, given)
    const context = withNamedProperties(given, outline)
    const work = { app, question, context, outline }
    const { timezone, pages = null, properties = null } = context
    // a member does not wait in the places of readers
    const key = equalityKey([app, timezone, pages, properties, question, isReader(client.caller)])
    const [limited, done] = withLimit(client, this.#limitMs)
    try {
      return await (this.#waiting.join(key, limited, (all, detach) =>
        this.#inTurn(work, key, { app, caller: client.caller ?? '' }, all, detach),
      ) as Promise<Answer<K>>)
    } finally {
      done()
    }
  }

  /**
   * Exports all events of a range, encoded. Resolves with the first part. The stream ends early, with an error, if the
   * rest cannot be read.
   * @throws HopperError HOP_SHARE or HOP_QUERY_BUSY if too many exports are in progress
   */
  async export(
    app: string,
    request: Omit<ExportRequest, keyof ExportPart>,
    context: QueryContext,
    client: Client,
  ): Promise<Readable> {
    const leave = this.#exports.enter({ app, caller: client.caller ?? '' })
    try {
      const chunks = (await this.list({ app, from: request.from, to: request.to })).map(withoutValues)
      return await this.#exports.begin(app, request, chunks, context, client, leave)
    } catch (error) {
      leave()
      throw error
    }
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.#pool.close(), this.#exports.close()])
  }

  #opened(): Archive {
    if (!this.#archive)
      throw new HopperError(
        'HOP_STORE_UNAVAILABLE',
        'This installation has no archive, so past events cannot be queried.',
      )
    return this.#archive
  }

  /** Runs a query once it has a thread, and again if it had to give its thread to others. */
  async #inTurn(work: Work, key: string, requester: Requester, client: Client, detach: () => void): Promise<Answer> {
    for (let isLong = false; ; isLong = true) {
      const turn = await this.#pool.turn(requester, this.#waitOf(client), isLong)
      // later clients may expect events that this run does not see
      detach()
      const outcome = await this.#work(work, key, turn, client)
      if (outcome.kind === 'answered') return outcome.answer
    }
  }

  /** Lists the chunks of the range, then joins a run over the same chunks or starts one. */
  async #work({ app, question, context, outline }: Work, key: string, turn: Turn, client: Client): Promise<RunOutcome> {
    const { from, to, byPerson, keys, personKeys, showsPersons } = outline
    const range = byPerson ? { app, from: context.keptFrom ?? 0, to: Number.MAX_SAFE_INTEGER } : { app, from, to }
    const listed = await this.list(range).catch((error: unknown) => {
      turn.end()
      throw error
    })
    const chunks = listed.filter((summary) => summary.min_time < to && summary.max_time >= from)
    const identifying = byPerson ? listed.filter(({ columns }) => Object.hasOwn(columns, 'user')) : []
    const history = Object.keys(context.properties ?? {}).length > 0 ? listed : []
    const chunksKey = `${key}${fingerprintOf(chunks)}`
    const run = `${chunksKey}${fingerprintOf(identifying)}${fingerprintOf(history)}`
    if (this.#runs.has(run)) turn.end()
    const names = [...keys].flatMap(columnsOfKey)
    const job: WorkerJob = {
      app,
      question,
      context,
      chunks: chunks.map((summary) => withValues(summary, names)),
      identifying: identifying.map((summary) => identifyingColumns(summary, showsPersons ? undefined : personKeys)),
      history: history.map(historyColumns(context)),
    }
    return this.#runs.join(run, client, (all) =>
      this.#run(job, outline, chunksKey, turn, all).finally(() => turn.end()),
    )
  }

  async #run(
    job: WorkerJob,
    { to, byPerson }: Outline,
    chunksKey: string,
    turn: Turn,
    client: Client,
  ): Promise<RunOutcome> {
    const { completeTo } = job.context
    const answered = (result: Result<unknown>): RunOutcome => ({
      kind: 'answered',
      answer: new Answer(result as Answer['encoded'], completeTo),
    })
    // The answer for a past range depends only on these chunks and on which users the devices belong to.
    const isPast = to <= completeTo
    const isAnonymous = job.identifying.length + job.history.length === 0
    let key = isPast && (!byPerson || isAnonymous) ? chunksKey : undefined
    let found = this.#settledOf(key)
    if (found !== undefined) return answered(found)
    const host: JobHost = {
      answer: async (question) => {
        if (question.ask === 'cells') return this.#cells(question.fetches)
        if (question.ask !== 'known') return undefined
        key = isPast ? `${chunksKey}${question.identities}` : undefined
        found = this.#settledOf(key)
        return found === undefined ? 'go on' : undefined
      },
      progress: (progress) => client.progress?.(progress),
    }
    const outcome = await turn.run(job, host, this.#waitOf(client))
    if (outcome.kind === 'yielded') return outcome
    if (outcome.kind === 'finished') found = new Result(outcome.json)
    if (found === undefined) throw new HopperError('HOP_INTERNAL')
    if (key !== undefined) this.#settled.put(key, found, found.json.byteLength * 3)
    return answered(found)
  }

  #settledOf(key: string | undefined): Result<unknown> | undefined {
    return key === undefined ? undefined : this.#settled.get(key)
  }

  #waitOf(client: Client): Wait {
    return { until: () => performance.now() + leftOf(client, this.#limitMs), signal: client.signal }
  }

  async #cells(fetches: readonly ColumnFetch[]): Promise<Cells[]> {
    const cells: Cells[] = []
    for (let start = 0; start < fetches.length; start += FETCH_CONCURRENCY) {
      const batch = fetches.slice(start, start + FETCH_CONCURRENCY)
      cells.push(...(await Promise.all(batch.map(({ summary, names }) => this.#opened().columns(summary, names)))))
    }
    cells.forEach((found, i) => assertAll(fetches[i]!, found))
    return cells
  }
}

function measureLoad(pool: QueryPool, exports: Exports, metrics: Metrics): void {
  new Gauge({
    name: 'hopper_api_queries',
    help: 'Queries over the archive: threads that run them, and queries that wait for a thread',
    labelNames: ['state'],
    registers: [metrics],
    collect() {
      const { running, waiting } = pool.load
      this.set({ state: 'running' }, running)
      this.set({ state: 'waiting' }, waiting)
    },
  })
  new Gauge({
    name: 'hopper_api_exports',
    help: 'Exports in progress',
    registers: [metrics],
    collect() {
      this.set(exports.open)
    },
  })
}

/**
 * Fails if a column is missing: the chunk may have been deleted since it was listed, and an answer without it would be
 * wrong.
 */
function assertAll({ summary, names }: ColumnFetch, found: Cells): void {
  const absent = names.find((name) => Object.hasOwn(summary.columns, name) && !found.has(name))
  if (absent !== undefined)
    throw new HopperError('HOP_STORE_UNAVAILABLE', `The archive no longer has the column ${absent} of a chunk.`)
}

function leftOf({ arrivedAt = performance.now() }: Client, limitMs: number): number {
  return arrivedAt + limitMs - performance.now()
}

/**
 * A query stops at its limit, or its thread is terminated a second later. A client that joined a query with a later
 * limit waits at most this much longer than its own limit.
 */
const LIMIT_GRACE_MS = 1_500

/** Wraps a client so that it leaves at its time limit; also returns the function to call once it has its answer. */
function withLimit(client: Client, limitMs: number): [Client, () => void] {
  const limited = new AbortController()
  const left = (): void => limited.abort(client.signal.reason)
  const timer = setTimeout(
    () => limited.abort(new HopperError('HOP_QUERY_TIMEOUT')),
    Math.max(0, leftOf(client, limitMs)) + LIMIT_GRACE_MS,
  )
  client.signal.addEventListener('abort', left)
  if (client.signal.aborted) left()
  const done = (): void => {
    clearTimeout(timer)
    client.signal.removeEventListener('abort', left)
  }
  return [{ ...client, signal: limited.signal, progress: (progress) => client.progress?.(progress) }, done]
}

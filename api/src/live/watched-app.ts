import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { TableReader } from '@hopper/storage'
import type { Completeness } from '../answers/completeness.ts'
import type { ChangeStream } from './change-stream.ts'

const CHECK_INTERVAL_MS = 1_000
/** Hardly any event is of an earlier date, so the versions of earlier dates are read at every tenth check. */
const RECENT_DATES = 9
const CHECKS_PER_FULL = 10
const DAY_MS = 86_400_000
const STATE_CHARS = 22

/** Dependencies of a watched app. */
export interface WatchSources {
  readonly reader: Pick<TableReader, 'versions'>
  readonly completeness: Pick<Completeness, 'progress'>
  readonly clock: () => number
  /** reports a failure after which the app is still watched */
  failed(error: unknown): void
}

/** Checks an app for changes while it has streams: once for all of them. */
export class WatchedApp {
  readonly #app: string
  readonly #sources: WatchSources
  readonly #streams = new Set<ChangeStream>()
  readonly #versions = new Map<string, string>()
  #lastCheck: Promise<void> = Promise.resolve()
  #isPolling = false

  constructor(app: string, sources: WatchSources) {
    this.#app = app
    this.#sources = sources
  }

  get hasStreams(): boolean {
    return this.#streams.size > 0
  }

  /** Adds a stream. Resolves once the state with which it begins is known. */
  async add(stream: ChangeStream): Promise<void> {
    this.#streams.add(stream)
    await this.#check(true)
    if (!this.#isPolling) void this.#poll()
  }

  remove(stream: ChangeStream): void {
    this.#streams.delete(stream)
  }

  async #poll(): Promise<void> {
    this.#isPolling = true
    for (let checks = 1; this.hasStreams; checks++) {
      await pause(CHECK_INTERVAL_MS, undefined, { ref: false })
      if (this.hasStreams)
        await this.#check(checks % CHECKS_PER_FULL === 0).catch((error: unknown) => this.#sources.failed(error))
    }
    this.#isPolling = false
  }

  /** Reads the versions, one read after another, and sends what has changed to all streams. */
  #check(isFull: boolean): Promise<void> {
    const checked = this.#lastCheck.then(() => this.#compare(isFull))
    this.#lastCheck = checked.catch(() => undefined)
    return checked
  }

  async #compare(isFull: boolean): Promise<void> {
    const { reader, completeness, clock } = this.#sources
    const watched = [...new Set([...this.#streams].flatMap(({ dates }) => dates))].sort()
    const dates = isFull ? watched : this.#recent(watched)
    const versions = await reader.versions(this.#app, dates)
    for (const date of dates) this.#versions.set(date, versions.get(date) ?? '')
    const at = clock()
    for (const stream of this.#streams) stream.record(this.#stateOf(stream), at)
    if (![...this.#streams].some(({ isPending }) => isPending)) return
    const { completeTo } = await completeness.progress(this.#app)
    for (const stream of this.#streams) stream.sendChanges(completeTo)
  }

  #recent(dates: readonly string[]): readonly string[] {
    const last = new Date(this.#sources.clock() + DAY_MS).toISOString().slice(0, 10)
    return dates.filter((date) => date <= last).slice(-RECENT_DATES)
  }

  #stateOf({ dates }: ChangeStream): string {
    const hash = createHash('sha256')
    for (const date of dates) hash.update(`${date} ${this.#versions.get(date) ?? ''}\n`)
    return hash.digest('base64url').slice(0, STATE_CHARS)
  }
}

import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { TableReader } from '@hopper/storage'
import type { Completeness } from '../answers/completeness.ts'
import type { ChangeStream } from './change-stream.ts'

const LOOK_EVERY_MS = 1_000
/** Hardly any event is of an earlier date, so the versions of those are read at every tenth look. */
const RECENT_DATES = 9
const LOOKS_PER_WHOLE = 10
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

/** Looks for changes of an app while anybody wants to know: once for all of its streams. */
export class WatchedApp {
  readonly #app: string
  readonly #sources: WatchSources
  readonly #streams = new Set<ChangeStream>()
  readonly #versions = new Map<string, string>()
  #looked: Promise<void> = Promise.resolve()
  #isLooking = false

  constructor(app: string, sources: WatchSources) {
    this.#app = app
    this.#sources = sources
  }

  get isWatched(): boolean {
    return this.#streams.size > 0
  }

  /** Begins to tell a stream of changes. Resolves once the state is known with which it begins. */
  async add(stream: ChangeStream): Promise<void> {
    this.#streams.add(stream)
    await this.#look(true)
    if (!this.#isLooking) void this.#watch()
  }

  remove(stream: ChangeStream): void {
    this.#streams.delete(stream)
  }

  async #watch(): Promise<void> {
    this.#isLooking = true
    for (let looks = 1; this.isWatched; looks++) {
      await pause(LOOK_EVERY_MS, undefined, { ref: false })
      if (this.isWatched)
        await this.#look(looks % LOOKS_PER_WHOLE === 0).catch((error: unknown) => this.#sources.failed(error))
    }
    this.#isLooking = false
  }

  /** Reads the versions, one read after another, and tells all streams what has changed. */
  #look(isWhole: boolean): Promise<void> {
    const looked = this.#looked.then(() => this.#compare(isWhole))
    this.#looked = looked.catch(() => undefined)
    return looked
  }

  async #compare(isWhole: boolean): Promise<void> {
    const { reader, completeness, clock } = this.#sources
    const watched = [...new Set([...this.#streams].flatMap(({ dates }) => dates))].sort()
    const dates = isWhole ? watched : this.#recent(watched)
    const versions = await reader.versions(this.#app, dates)
    for (const date of dates) this.#versions.set(date, versions.get(date) ?? '')
    const at = clock()
    for (const stream of this.#streams) stream.note(this.#stateOf(stream), at)
    if (![...this.#streams].some(({ isWaiting }) => isWaiting)) return
    const { completeTo } = await completeness.progress(this.#app)
    for (const stream of this.#streams) stream.tell(completeTo)
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

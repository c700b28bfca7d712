import { Readable } from 'node:stream'
import { countedReports, reports } from '@hopper/contracts'

const KEEP_ALIVE_INTERVAL_MS = 15_000
/** A client with more unread bytes than this is disconnected; it connects again and loads what it has missed. */
const UNREAD_BYTES_MAX = 65_536

/**
 * A stream of Server-Sent Events that name the reports over some dates whose answers have changed. Tables have an event
 * before the archive does: reports from tables are named at once, all of them once the archive has the event too. Only
 * then is the state sent as an `id`, so that a client that reconnects in between loads everything.
 */
export class ChangeStream extends Readable {
  /** ascending */
  readonly dates: readonly string[]
  readonly #alive: NodeJS.Timeout
  /** the last recorded state of the dates: the client was told of it, or is about to be */
  #state: string | undefined
  /** the instants (ms) of the last change, and of the first one that was not sent for all reports */
  #changedAt = 0
  #pendingSince: number | undefined
  #isChanged = false
  #isNew: boolean

  readonly #hasIds: boolean

  /**
   * @param after the id that the client has; undefined: it follows changes from now on
   * @param hasIds false for readers who may learn only that something has changed: an id contains versions, which
   * reveal the number of batches
   */
  constructor(dates: readonly string[], after: string | undefined, hasIds = true) {
    super({ highWaterMark: UNREAD_BYTES_MAX })
    this.dates = dates
    this.#hasIds = hasIds
    this.#state = after
    this.#isNew = after === undefined
    this.#alive = setInterval(() => this.#write(':\n\n'), KEEP_ALIVE_INTERVAL_MS)
    // Without a first comment the headers would wait for the first change.
    this.#write(':\n\n')
  }

  /** true while a change has not been sent for all reports */
  get isPending(): boolean {
    return this.#pendingSince !== undefined
  }

  /** Records the state of the dates at an instant, in ms. */
  record(state: string, at: number): void {
    if (state === this.#state) return
    this.#state = state
    this.#changedAt = at
    this.#pendingSince ??= at
    this.#isChanged = !this.#isNew
  }

  /** Sends what has changed. What was received before `completeTo` is in the tables and in the archive. */
  sendChanges(completeTo: number | null): void {
    if (this.#pendingSince === undefined) return
    if (completeTo !== null && completeTo >= this.#pendingSince) {
      const isCurrent = completeTo >= this.#changedAt
      const id = isCurrent && this.#hasIds ? `id: ${this.#state}\n` : ''
      this.#write(this.#isNew ? `:\n${id}\n` : `${id}${changesEvent(reports)}`)
      this.#pendingSince = isCurrent ? undefined : this.#changedAt
    } else if (this.#isChanged) this.#write(changesEvent(countedReports))
    this.#isChanged = false
    this.#isNew = false
  }

  end(): void {
    clearInterval(this.#alive)
    if (!this.destroyed) this.push(null)
  }

  override _read(): void {
    // Changes are pushed as they come.
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearInterval(this.#alive)
    done(error)
  }

  #write(text: string): void {
    if (this.destroyed || this.readableEnded) return
    if (this.readableLength > UNREAD_BYTES_MAX) return void this.destroy()
    this.push(text)
  }
}

function changesEvent(changed: readonly string[]): string {
  return `event: changes\ndata: ${JSON.stringify({ reports: changed })}\n\n`
}

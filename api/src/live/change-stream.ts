import { Readable } from 'node:stream'
import { countedReports, reports } from '@hopper/contracts'

const KEPT_ALIVE_EVERY_MS = 15_000
/** A client that reads so little has to connect again; it then loads what it has missed. */
const UNREAD_BYTES_MAX = 65_536

/**
 * A stream of Server-Sent Events that tells which reports over some dates have changed. The tables have an event before
 * the archive does: what is answered from the tables is told at once, everything once the archive has it too. Only then
 * is the state an `id`, so that a client that left in between loads everything when it is back.
 */
export class ChangeStream extends Readable {
  /** ascending */
  readonly dates: readonly string[]
  readonly #alive: NodeJS.Timeout
  /** the state of the dates, of which the client has or will be told */
  #state: string | undefined
  /** the instants (ms) of the last change, and of the first one of which not everything was told */
  #changedAt = 0
  #untoldSince: number | undefined
  #isChanged = false
  #isBeginning: boolean

  /** @param after the id that the client has; undefined: it begins with what there is */
  constructor(dates: readonly string[], after: string | undefined) {
    super({ highWaterMark: UNREAD_BYTES_MAX })
    this.dates = dates
    this.#state = after
    this.#isBeginning = after === undefined
    this.#alive = setInterval(() => this.#write(':\n\n'), KEPT_ALIVE_EVERY_MS)
    // sends the headers
    this.#write(':\n\n')
  }

  /** true while a change has not been told completely */
  get isWaiting(): boolean {
    return this.#untoldSince !== undefined
  }

  /** Takes note of the state of the dates at an instant, in ms. */
  note(state: string, at: number): void {
    if (state === this.#state) return
    this.#state = state
    this.#changedAt = at
    this.#untoldSince ??= at
    this.#isChanged = !this.#isBeginning
  }

  /** Tells what has changed. What was received before `completeTo` is in the tables and in the archive. */
  tell(completeTo: number | null): void {
    if (this.#untoldSince === undefined) return
    if (completeTo !== null && completeTo >= this.#untoldSince) {
      const isCurrent = completeTo >= this.#changedAt
      const id = isCurrent ? `id: ${this.#state}\n` : ''
      this.#write(this.#isBeginning ? `:\n${id}\n` : `${id}${textOf(reports)}`)
      this.#untoldSince = isCurrent ? undefined : this.#changedAt
    } else if (this.#isChanged) this.#write(textOf(countedReports))
    this.#isChanged = false
    this.#isBeginning = false
  }

  end(): void {
    clearInterval(this.#alive)
    if (!this.destroyed) this.push(null)
  }

  override _read(): void {
    // nothing to do: changes are pushed as they come
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

function textOf(changed: readonly string[]): string {
  return `event: changes\ndata: ${JSON.stringify({ reports: changed })}\n\n`
}

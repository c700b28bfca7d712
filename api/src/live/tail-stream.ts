import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'
import type { CountedPositions } from './counted-positions.ts'
import type { Form, SharedBatches, Wanted } from './shared-batches.ts'
import type { StreamCursor } from './stream-cursor.ts'

/** Bytes that wait for the client; reading ahead of it stops there. */
const BUFFERED_BYTES = 65_536
const KEEP_ALIVE_INTERVAL_MS = 15_000
const RETRY_MS = 1_000
/** Lanes that are read at a time. */
const BATCHES_AHEAD = 8

/** Options of a stream. */
export interface Tail {
  readonly app: string
  readonly form: Form
  /** the `event` field of its events; without one, browsers dispatch them as `message` */
  readonly name?: string | undefined
  readonly cursor: StreamCursor
  readonly counted: CountedPositions
  readonly batches: SharedBatches
  /** reports a failure after which the stream continues */
  failed(error: unknown): void
}

/**
 * A stream of Server-Sent Events that follows what is counted, as fast as its client reads: the log is its buffer, so
 * nothing is skipped. It ends with an event `error` when the log no longer has what comes next.
 */
export class TailStream extends Readable {
  readonly #tail: Tail
  readonly #over = new AbortController()
  readonly #alive: NodeJS.Timeout
  #wantsMore = false
  #wake: (() => void) | undefined
  /** the batch that was not sent completely; it is read again when the client wants more */
  #current: Wanted | undefined
  /** the lane after the one that was read last */
  #turn = 0
  /** the id that was sent last */
  #sentId = ''

  constructor(tail: Tail) {
    super({ highWaterMark: BUFFERED_BYTES })
    this.#tail = tail
    this.#alive = setInterval(() => this.#keepAlive(), KEEP_ALIVE_INTERVAL_MS)
    // a client that leaves before its first event can resume from here
    this.#keepAlive()
    void this.#follow()
  }

  /** Ends the stream once the buffered events are sent. */
  end(): void {
    if (this.#over.signal.aborted) return
    this.#stop()
    this.push(null)
  }

  override _read(): void {
    this.#wantsMore = true
    this.#wake?.()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stop()
    done(error)
  }

  #stop(): void {
    clearInterval(this.#alive)
    this.#over.abort()
    this.#wake?.()
  }

  async #follow(): Promise<void> {
    const { signal } = this.#over
    while (!signal.aborted) {
      try {
        await this.#step(signal)
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof HopperError && error.code === 'HOP_EVENTS_GONE') return this.#fail(error)
        this.#tail.failed(error)
        await pause(RETRY_MS, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  /** Waits for the client or for something to send, or sends some of one batch. */
  async #step(signal: AbortSignal): Promise<void> {
    if (!this.#wantsMore) return new Promise((resolve) => (this.#wake = resolve))
    const { cursor, counted, batches } = this.#tail
    const wanted = (this.#current ??= this.#nextBatch())
    if (!wanted) return counted.change(signal)
    const { lane } = wanted
    const { lines, next } = await batches.read(wanted)
    for (const { position, index, data } of lines) {
      if (signal.aborted || !this.#wantsMore) return
      if (cursor.isPast(lane, position, index)) continue
      cursor.advance(lane, position, index + 1)
      this.#send(data)
    }
    cursor.advance(lane, next, 0)
    this.#current = undefined
  }

  /** Chooses the next batch, of a lane of which more is counted than was sent; begins to read those after it. */
  #nextBatch(): Wanted | undefined {
    const { app, form, cursor, counted, batches } = this.#tail
    const { known } = counted
    const lanes = known
      .map((_, i) => (this.#turn + i) % known.length)
      .filter((lane) => cursor.position(lane) < known[lane]!)
      .slice(0, BATCHES_AHEAD)
    const [first, ...others] = lanes.map((lane): Wanted => ({
      form,
      app,
      lane,
      from: cursor.position(lane),
      until: known[lane]!,
    }))
    // the turn of a lane reports its failure
    for (const each of others) batches.read(each).catch(() => undefined)
    if (first) this.#turn = first.lane + 1
    return first
  }

  #send(data: string): void {
    const { name, cursor } = this.#tail
    this.#sentId = String(cursor)
    this.#write(`${name === undefined ? '' : `event: ${name}\n`}id: ${this.#sentId}\ndata: ${data}\n\n`)
  }

  /** Sends a comment with the place that the stream has reached, while there are no events of the app. */
  #keepAlive(): void {
    if (this.readableLength > 0 || this.#over.signal.aborted) return
    const id = String(this.#tail.cursor)
    this.#write(id === this.#sentId ? ':\n\n' : `:\nid: ${id}\n\n`)
    this.#sentId = id
  }

  #fail(error: HopperError): void {
    this.#tail.failed(error)
    this.#write(`event: error\ndata: ${JSON.stringify(error.toBody())}\n\n`)
    this.end()
  }

  #write(text: string): void {
    // `_read` may be called meanwhile
    this.#wantsMore = false
    if (this.push(text)) this.#wantsMore = true
  }
}

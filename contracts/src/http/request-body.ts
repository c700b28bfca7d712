import type { Readable } from 'node:stream'
import { HopperError } from '../errors.ts'
import { isLoopback, sourceOf } from './source-address.ts'

const FIRST_BYTES = 4_096

/**
 * The memory of bodies that have arrived in part, of one process. A client that sends a body slowly holds its part for
 * up to a minute; an address that holds a quarter of the memory gets no more, so that it leaves room for others.
 * Clients on this machine are the operator's: they share all of it.
 */
export class BodyMemory {
  readonly #bytesMax: number
  readonly #bySource = new Map<string, number>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** bytes that are held */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds to the bytes that an address holds; false if that is too much. */
  hold(source: string, bytes: number): boolean {
    const held = (this.#bySource.get(source) ?? 0) + bytes
    const ownMax = isLoopback(source) ? this.#bytesMax : this.#bytesMax / 4
    if (this.#bytes + bytes > this.#bytesMax || held > ownMax) return false
    this.#bytes += bytes
    this.#bySource.set(source, held)
    return true
  }

  release(source: string, bytes: number): void {
    const held = this.#bySource.get(source)! - bytes
    this.#bytes -= bytes
    if (held === 0) this.#bySource.delete(source)
    else this.#bySource.set(source, held)
  }
}

/** A body that arrives. */
export interface ArrivingBody {
  readonly payload: Readable
  readonly contentLength: string | undefined
  readonly bytesMax: number
  readonly memory: BodyMemory
  /** of the client */
  readonly address: string
}

/**
 * Collects the bytes of a body. A body in a single piece, as most are, is passed on without a copy; any other takes at
 * most twice the memory of its bytes, in any number of pieces. Calls exactly one of `take` and `refuse`, once: `refuse`
 * with HOP_BODY_TOO_LARGE, with HOP_RATE when too many bodies are unfinished, or with HOP_BODY_INVALID when the sender
 * aborted; also with the number of bytes that have really arrived.
 */
export function collectBody(
  { payload, contentLength, bytesMax, memory, address }: ArrivingBody,
  take: (body: Buffer) => void,
  refuse: (error: HopperError, bytes: number) => void,
): void {
  if (Number(contentLength) > bytesMax) return refuse(new HopperError('HOP_BODY_TOO_LARGE'), 0)
  let source = ''
  let [pieces, bytes] = [0, 0]
  let collected: Buffer = Buffer.alloc(0)
  let held = 0
  const hold = (wanted: number): boolean => {
    // created late: most bodies come in one piece and do not need it
    source ||= sourceOf(address)
    if (!memory.hold(source, wanted - held)) return false
    held = wanted
    return true
  }
  const leave = (): void => {
    payload.off('data', onData).off('end', onEnd).off('error', onError)
    if (held > 0) memory.release(source, held)
  }
  const fail = (error: HopperError): void => {
    leave()
    refuse(error, bytes)
  }
  const onData = (piece: Buffer): void => {
    pieces++
    bytes += piece.length
    if (bytes > bytesMax) return fail(new HopperError('HOP_BODY_TOO_LARGE'))
    if (pieces === 1) {
      collected = piece
      if (bytes !== Number(contentLength) && !hold(bytes)) fail(tooManyUnfinished())
      return
    }
    if (pieces === 2 || bytes > collected.length) {
      const room = Math.min(bytesMax, Math.max(FIRST_BYTES, bytes * 2))
      if (!hold(room)) return fail(tooManyUnfinished())
      const longer = Buffer.allocUnsafeSlow(room)
      collected.copy(longer, 0, 0, bytes - piece.length)
      collected = longer
    }
    piece.copy(collected, bytes - piece.length)
  }
  const onEnd = (): void => {
    leave()
    take(bytes === collected.length ? collected : collected.subarray(0, bytes))
  }
  const onError = (cause: Error): void =>
    fail(new HopperError('HOP_BODY_INVALID', 'The sender aborted the body.', { cause }))
  payload.on('data', onData).on('end', onEnd).on('error', onError)
}

function tooManyUnfinished(): HopperError {
  return new HopperError('HOP_RATE', 'Too many requests are unfinished: their bodies have arrived in part.', {
    details: { retry_after_seconds: 1 },
  })
}

import type { Readable } from 'node:stream'
import { HopperError, limits } from '@hopper/contracts'

type Done = (error: HopperError | null, body: Buffer) => void

const none = Buffer.alloc(0)

/**
 * Collects the bytes of a request, at most `bodyBytesMax`. What came in one piece, as most bodies do, is handed on as that piece: Fastify's own
 * reader makes a copy, and it is memory outside of the heap that makes the garbage collector run.
 * @throws through `done`: HopperError HOP_BODY_TOO_LARGE; HOP_BODY_INVALID when the sender broke off
 */
export function collect(payload: Readable, contentLength: string | undefined, done: Done): void {
  if (Number(contentLength) > limits.bodyBytesMax) return done(new HopperError('HOP_BODY_TOO_LARGE'), none)
  const pieces: Buffer[] = []
  let bytes = 0
  const end = (error: HopperError | null): void => {
    payload.off('data', onData).off('end', onEnd).off('error', onError)
    done(error, error ? none : pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, bytes))
  }
  const onData = (piece: Buffer): void => {
    bytes += piece.length
    if (bytes > limits.bodyBytesMax) end(new HopperError('HOP_BODY_TOO_LARGE'))
    else pieces.push(piece)
  }
  const onEnd = (): void => end(null)
  const onError = (cause: Error): void => end(new HopperError('HOP_BODY_INVALID', 'The body broke off.', { cause }))
  payload.on('data', onData).on('end', onEnd).on('error', onError)
}

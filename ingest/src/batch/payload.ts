import type { Readable } from 'node:stream'
import { HopperError, limits } from '@hopper/contracts'

/**
 * Collects the bytes of a request, at most `bodyBytesMax`. A body in one chunk, as most are, is passed on without a
 * copy: Fastify's own reader copies it, into memory outside of the heap that triggers garbage collections. Calls
 * exactly one of `take` and `refuse`, once: `refuse` with HOP_BODY_TOO_LARGE, or with HOP_BODY_INVALID when the sender
 * aborted.
 */
export function collect(
  payload: Readable,
  contentLength: string | undefined,
  take: (body: Buffer) => void,
  refuse: (error: HopperError) => void,
): void {
  if (Number(contentLength) > limits.bodyBytesMax) return refuse(new HopperError('HOP_BODY_TOO_LARGE'))
  const pieces: Buffer[] = []
  let bytes = 0
  const leave = (): void => void payload.off('data', onData).off('end', onEnd).off('error', onError)
  const fail = (error: HopperError): void => {
    leave()
    refuse(error)
  }
  const onData = (piece: Buffer): void => {
    bytes += piece.length
    if (bytes > limits.bodyBytesMax) fail(new HopperError('HOP_BODY_TOO_LARGE'))
    else pieces.push(piece)
  }
  const onEnd = (): void => {
    leave()
    take(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, bytes))
  }
  const onError = (cause: Error): void =>
    fail(new HopperError('HOP_BODY_INVALID', 'The sender aborted the body.', { cause }))
  payload.on('data', onData).on('end', onEnd).on('error', onError)
}

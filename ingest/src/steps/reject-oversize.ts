import { limits } from '@hopper/contracts'
import { Dropped, type Incoming } from '../incoming.ts'

export function rejectOversize(incoming: Incoming): Incoming | Dropped {
  if (incoming.batch.small) return incoming
  const bytes = bytesOf(incoming.wire)
  if (bytes <= limits.eventBytesMax) return incoming
  return new Dropped('too_large', `The event has ${bytes === Infinity ? 'too deep a nesting' : `${bytes} bytes`}; send at most ${limits.eventBytesMax} bytes an event.`)
}

function bytesOf(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value))
  } catch (error) {
    // JSON.parse takes any depth, JSON.stringify does not
    if (error instanceof RangeError) return Infinity
    throw error
  }
}

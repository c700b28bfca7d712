import { limits } from '@hopper/contracts'
import { Dropped, type Incoming } from '../batch/incoming.ts'
import { repair, wireNames } from '../repair/repair.ts'

/**
 * Rejects oversize events. An event that is too large only because of overlong strings is kept: these are shortened.
 */
export function rejectOversize(incoming: Incoming): Incoming | Dropped {
  if (incoming.batch.small) return incoming
  const bytes = bytesOf(incoming.sent)
  if (bytes <= limits.eventBytesMax) return incoming
  repair(incoming)
  if (bytesOf(incoming.wire) + bytesOf(unknownOf(incoming)) <= limits.eventBytesMax) return incoming
  const size = bytes === Infinity ? 'is nested too deeply' : `has ${bytes} bytes`
  return new Dropped('too_large', `The event ${size}; send at most ${limits.eventBytesMax} bytes per event.`)
}

function unknownOf({ sent, type }: Incoming): object {
  return Object.fromEntries(Object.entries(sent as object).filter(([name]) => !wireNames[type].has(name)))
}

function bytesOf(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value))
  } catch (error) {
    // JSON.parse takes any depth, JSON.stringify does not.
    if (error instanceof RangeError) return Infinity
    throw error
  }
}

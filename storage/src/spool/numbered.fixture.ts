import { decodeEnvelope, type Envelope } from '@hopper/contracts'
import type { EventLog } from '../ports/event-log.ts'

/** The n-th envelope of a device. */
export function numbered(device_id: string, n: number): Envelope {
  return {
    version: 1,
    app: 'a',
    device_id,
    received_at: n,
    context: { device: 'unknown', browser: '', os: '' },
    events: [],
  }
}

/** The numbers of each device in the order in which a reader that folds duplicates sees them. */
export async function firstSeen(log: EventLog): Promise<Map<string, number[]>> {
  const seen = new Map<string, Set<number>>()
  for (const [lane, end] of (await log.ends()).entries()) {
    for (const { value } of await log.read(lane, 0, end)) {
      const { device_id, received_at } = decodeEnvelope(value)
      seen.set(device_id, (seen.get(device_id) ?? new Set()).add(received_at))
    }
  }
  return new Map([...seen].map(([device, numbers]) => [device, [...numbers]]))
}

/** The numbers from 0 up to, but not including, `count`. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n)
}

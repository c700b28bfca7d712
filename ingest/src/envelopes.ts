import type { Envelope, Event, RejectedEvent } from '@hopper/contracts'
import type { Agent } from './agent.ts'
import { arrivalOf } from './arrival.ts'
import { isId } from './batch.ts'
import { Dropped, type Batch, type Incoming } from './incoming.ts'

interface OfDevice {
  readonly events: Event[]
  readonly rejected: RejectedEvent[]
}

/** One envelope for each device that a batch names, in order of first mention. What was refused goes in as a stub, so that fates add up. */
export function envelopesOf(batch: Batch, sent: readonly unknown[], results: readonly (Incoming | Dropped)[], agent: Agent, referer?: string): Envelope[] {
  const devices = new Map<string, OfDevice>()
  const ofDevice = (device: string): OfDevice => {
    let found = devices.get(device)
    if (!found) devices.set(device, (found = { events: [], rejected: [] }))
    return found
  }
  for (const [index, result] of results.entries()) {
    if (result instanceof Dropped) ofDevice(deviceOf(sent[index], batch)).rejected.push(stubOf(sent[index], result))
    else ofDevice(result.device_id).events.push(result.event!)
  }
  return [...devices].map(([device_id, { events, rejected }]) => ({
    version: 1,
    app: batch.app.id,
    device_id,
    ...(batch.session_id !== undefined && { session_id: batch.session_id }),
    received_at: batch.received_at,
    context: { ...agent, ...arrivalOf(events, referer) },
    events,
    ...(rejected.length > 0 && { rejected }),
  }))
}

function stubOf(sent: unknown, { reason }: Dropped): RejectedEvent {
  const { event_id } = (sent ?? {}) as { event_id?: unknown }
  return isId(event_id) ? { event_id, reason } : { reason }
}

/** The device of a refused event; '' when it has none that can be believed. */
function deviceOf(sent: unknown, batch: Batch): string {
  const { device_id } = (sent ?? {}) as { device_id?: unknown }
  return isId(device_id) ? device_id : (batch.device_id ?? '')
}

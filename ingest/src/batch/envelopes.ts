import type { Envelope, Event, RejectedEvent } from '@hopper/contracts'
import type { Agent } from '../agent.ts'
import { arrivalOf } from './arrival.ts'
import { isId } from './batch.ts'
import { Dropped, type Batch, type Incoming } from './incoming.ts'

/** Device id of an envelope without events: only the fates of its rejected events are counted. */
const NO_DEVICE = ''

interface OfDevice {
  /** the first URL change of the device */
  first?: Incoming
  readonly events: Event[]
  readonly rejected: RejectedEvent[]
}

/**
 * Builds one envelope for each device of a batch, in order of first mention. Rejected events are included as stubs, so
 * that fates add up.
 */
export function envelopesOf(
  batch: Batch,
  sent: readonly unknown[],
  results: readonly (Incoming | Dropped)[],
  agent: Agent,
  referer?: string,
): Envelope[] {
  if (isTakenAsSent(batch, results)) {
    const events = results.map(({ event }) => event!)
    return [
      { ...headOf(batch, batch.device_id!, agent, results.find(isUrlChange), referer), events, sent: batch.body! },
    ]
  }
  const devices = new Map<string, OfDevice>()
  const ofDevice = (device: string): OfDevice => {
    let found = devices.get(device)
    if (!found) devices.set(device, (found = { events: [], rejected: [] }))
    return found
  }
  for (const [index, result] of results.entries()) {
    if (result instanceof Dropped) ofDevice(deviceOf(sent[index], batch)).rejected.push(stubOf(sent[index], result))
    else {
      const envelope = ofDevice(result.device_id)
      envelope.events.push(result.event!)
      if (isUrlChange(result)) envelope.first ??= result
    }
  }
  moveDeviceless(devices)
  return [...devices].map(([device_id, { events, rejected, first }]) => ({
    ...headOf(batch, device_id, agent, first, referer),
    events,
    ...(rejected.length > 0 && { rejected }),
  }))
}

/**
 * Moves events that were rejected for lack of a device to another envelope of the request; if there is none, they stay
 * in one without a device.
 */
function moveDeviceless(devices: Map<string, OfDevice>): void {
  const deviceless = devices.get(NO_DEVICE)
  if (!deviceless || devices.size === 1) return
  devices.delete(NO_DEVICE)
  const [first] = devices.values()
  first!.rejected.push(...deviceless.rejected)
}

/**
 * True when the log can store the body as it was sent, which holds for nearly every batch of a tracker: it has one
 * device and contains nothing that the log would not keep.
 */
function isTakenAsSent(
  { body, device_id }: Batch,
  results: readonly (Incoming | Dropped)[],
): results is readonly Incoming[] {
  if (body === undefined || device_id === undefined || results.length === 0) return false
  return results.every((result) => !(result instanceof Dropped) && !result.rewritten)
}

function isUrlChange({ type }: Incoming): boolean {
  return type === 'url_change'
}

/** `first` is the URL change from which the visitor's arrival is derived. */
function headOf(
  batch: Batch,
  device_id: string,
  agent: Agent,
  first: Incoming | undefined,
  referer?: string,
): Omit<Envelope, 'events'> {
  const { app, session_id, received_at, historical } = batch
  const arrival = arrivalOf(first && { from: String(first.wire['from']), to: String(first.wire['to']) }, referer)
  const context = { ...agent, ...arrival, ...(historical && ({ historical } as const)) }
  return { version: 1, app: app.id, device_id, ...(session_id !== undefined && { session_id }), received_at, context }
}

function stubOf(sent: unknown, { reason }: Dropped): RejectedEvent {
  const { event_id } = (sent ?? {}) as { event_id?: unknown }
  return isId(event_id) ? { event_id, reason } : { reason }
}

/** Returns the device of a rejected event, if it names a valid one; else that of the batch. */
function deviceOf(sent: unknown, batch: Batch): string {
  const { device_id } = (sent ?? {}) as { device_id?: unknown }
  return isId(device_id) ? device_id : (batch.device_id ?? NO_DEVICE)
}

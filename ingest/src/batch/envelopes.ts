import type { Envelope, Event, RejectedEvent } from '@hopper/contracts'
import type { Agent } from '../agent.ts'
import { arrivalOf } from './arrival.ts'
import { isId } from './batch.ts'
import { Dropped, type Batch, type Incoming } from './incoming.ts'

/** Only an envelope without events may have it: nothing is counted for it but the fates of what was refused. */
const NO_DEVICE = ''

interface OfDevice {
  /** its first URL change */
  first?: Incoming
  readonly events: Event[]
  readonly rejected: RejectedEvent[]
}

/**
 * One envelope for each device that a batch names, in order of first mention. What was refused goes in as a stub, so
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
      const own = ofDevice(result.device_id)
      own.events.push(result.event!)
      if (isUrlChange(result)) own.first ??= result
    }
  }
  placeHomeless(devices)
  return [...devices].map(([device_id, { events, rejected, first }]) => ({
    ...headOf(batch, device_id, agent, first, referer),
    events,
    ...(rejected.length > 0 && { rejected }),
  }))
}

/**
 * What was refused for want of a device goes with another envelope of the request; where there is none, into one
 * without a device.
 */
function placeHomeless(devices: Map<string, OfDevice>): void {
  const homeless = devices.get(NO_DEVICE)
  if (!homeless || devices.size === 1) return
  devices.delete(NO_DEVICE)
  const [first] = devices.values()
  first!.rejected.push(...homeless.rejected)
}

/** Nearly every batch of a tracker is: one device, and not a word in it that the log would not hold. */
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

/** `first` is the URL change that tells how the visitor came. */
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

/** The device of a refused event, when it has one that can be believed. */
function deviceOf(sent: unknown, batch: Batch): string {
  const { device_id } = (sent ?? {}) as { device_id?: unknown }
  return isId(device_id) ? device_id : (batch.device_id ?? NO_DEVICE)
}

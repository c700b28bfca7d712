import type { Envelope, Event, RejectedEvent } from '@hopper/contracts'
import type { Agent } from '../agent.ts'
import { arrivalOf, statedArrival } from './arrival.ts'
import { isId } from './batch.ts'
import { Dropped, type Batch, type Incoming, type Supplement } from './incoming.ts'

/** Device id of an envelope without events: only the fates of its rejected events are counted. */
const NO_DEVICE = ''

/** Sender of a request, as its headers show it. */
export interface Sending {
  /** agent of an event; nearly always that of the request */
  readonly agentOf: (supplement: Supplement | undefined) => Agent
  readonly referer?: string | undefined
}

/** Events of one device that share a context, in the order in which they were sent. */
interface Run {
  readonly device: string
  /** the same text for events with the same context */
  readonly context: string
  readonly supplement: Supplement | undefined
  /** the first URL change of the run */
  first?: Incoming
  readonly events: Event[]
  readonly rejected: RejectedEvent[]
}

/**
 * Builds the envelopes of a batch, in order of first mention: one for each device, or several where a server states
 * different contexts for its events. Rejected events are included as stubs, so that fates add up.
 */
export function envelopesOf(
  batch: Batch,
  sent: readonly unknown[],
  results: readonly (Incoming | Dropped)[],
  sending: Sending,
): Envelope[] {
  if (isTakenAsSent(batch, results)) {
    const events = results.map(({ event }) => event!)
    const head = headOf(batch, batch.device_id!, undefined, results.find(isUrlChange), sending)
    return [{ ...head, events, sent: batch.body! }]
  }
  return runsOf(batch, sent, results).map(({ device, supplement, first, events, rejected }) => ({
    ...headOf(batch, device, supplement, first, sending),
    events,
    ...(rejected.length > 0 && { rejected }),
  }))
}

function runsOf(batch: Batch, sent: readonly unknown[], results: readonly (Incoming | Dropped)[]): Run[] {
  const runs: Run[] = []
  const last = new Map<string, Run>()
  const add = (device: string, context: string, supplement?: Supplement): Run => {
    const run: Run = { device, context, supplement, events: [], rejected: [] }
    last.set(device, run)
    runs.push(run)
    return run
  }
  for (const [index, result] of results.entries()) {
    if (result instanceof Dropped) {
      const device = deviceOf(sent[index], batch)
      ;(last.get(device) ?? add(device, '')).rejected.push(stubOf(sent[index], result))
      continue
    }
    const { device_id, supplement } = result
    const context = contextOf(supplement)
    const found = last.get(device_id)
    const run = found?.context === context ? found : add(device_id, context, supplement)
    run.events.push(result.event!)
    if (isUrlChange(result)) run.first ??= result
  }
  return withoutDeviceless(runs)
}

function contextOf(supplement: Supplement | undefined): string {
  if (supplement === undefined) return ''
  const { userAgent, agent, referrer, utm } = supplement
  const context = [userAgent, agent, referrer, utm]
  return context.every((each) => each === undefined) ? '' : JSON.stringify(context)
}

/**
 * Moves events that were rejected for lack of a device to another envelope of the request; if there is none, they stay
 * in one without a device.
 */
function withoutDeviceless(runs: Run[]): Run[] {
  const deviceless = runs.find(({ device }) => device === NO_DEVICE)
  const others = runs.filter((run) => run !== deviceless)
  if (!deviceless || others.length === 0) return runs
  others[0]!.rejected.push(...deviceless.rejected)
  return others
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

/** `first` is the URL change from which the visitor's arrival is derived, as far as the server does not state it. */
function headOf(
  batch: Batch,
  device_id: string,
  supplement: Supplement | undefined,
  first: Incoming | undefined,
  { agentOf, referer }: Sending,
): Omit<Envelope, 'events'> {
  const { app, session_id, received_at, historical } = batch
  const arrival = arrivalOf(first && { from: String(first.wire['from']), to: String(first.wire['to']) }, referer)
  const stated = supplement && statedArrival(supplement)
  const context = { ...agentOf(supplement), ...arrival, ...stated, ...(historical && ({ historical } as const)) }
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

import type { Context, Envelope, Event, RejectedEvent } from '@hopper/contracts'
import type { Agent } from '../agent.ts'
import type { Place } from '../geo/geo-database.ts'
import { arrivalFor, type ArrivalEvidence } from '../source/arrival-for.ts'
import type { SessionArrivals } from '../source/session-arrivals.ts'
import { isId } from './batch.ts'
import { Dropped, type Batch, type Incoming, type Supplement } from './incoming.ts'

/** Device id of an envelope without events: only the fates of its rejected events are counted. */
const NO_DEVICE = ''

/** Sender of a request, as its headers show it. */
export interface RequestSender {
  /** agent of an event; nearly always that of the request */
  readonly agentOf: (supplement: Supplement | undefined) => Agent
  /** country and region of the visitor, where they are known */
  readonly placeOf?: (supplement: Supplement | undefined) => Place
  readonly referer?: string | undefined
  /** origin of the page that sent the request */
  readonly origin?: string | undefined
  /** sessions whose beginning earlier requests have stated; undefined for events that come in no order */
  readonly arrivals?: SessionArrivals
}

/** Events of one device that share a context, in the order in which they were sent. */
interface Run {
  readonly device: string
  /** the same text for events with the same context */
  readonly context: string
  readonly supplement: Supplement | undefined
  /** the first URL change of the run to a page */
  first: Incoming | undefined
  readonly events: Event[]
  /** true when the sender has numbered all of the events */
  numbered: boolean
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
  sending: RequestSender,
): Envelope[] {
  if (isTakenAsSent(batch, results)) {
    const events = results.map(({ event }) => event!)
    const run = {
      device: batch.device_id!,
      supplement: undefined,
      first: results.find(entersPage),
      events,
      numbered: true,
    }
    const head = headOf(batch, run, sending)
    return [{ ...head, events, sent: batch.body! }]
  }
  return runsOf(batch, sent, results).map((run) => ({
    ...headOf(batch, run, sending),
    events: run.events,
    ...(run.rejected.length > 0 && { rejected: run.rejected }),
  }))
}

function runsOf(batch: Batch, sent: readonly unknown[], results: readonly (Incoming | Dropped)[]): Run[] {
  const runs: Run[] = []
  const last = new Map<string, Run>()
  const add = (device: string, context: string, supplement?: Supplement): Run => {
    // the numbers of a cookieless sender begin again with each page, so their gaps say nothing
    const numbered = !batch.cookieless
    const run: Run = { device, context, supplement, first: undefined, events: [], numbered, rejected: [] }
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
    if (result.wire.seq === undefined) run.numbered = false
    if (entersPage(result)) run.first ??= result
  }
  return withoutDeviceless(runs)
}

function contextOf(supplement: Supplement | undefined): string {
  if (supplement === undefined) return ''
  const { stored: _, ...context } = supplement
  return Object.keys(context).length === 0 ? '' : JSON.stringify(context)
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

/** Returns whether an event is a URL change that entered a page; a change to '' only reports that a page was left. */
function entersPage({ type, wire }: Incoming): boolean {
  return type === 'url_change' && wire['to'] !== ''
}

function headOf(
  batch: Batch,
  { device, supplement, first, events, numbered }: Omit<Run, 'context' | 'rejected'>,
  sending: RequestSender,
): Omit<Envelope, 'events'> {
  const { app, session_id, received_at, historical } = batch
  const { agentOf, placeOf, referer, origin, arrivals } = sending
  const evidence: ArrivalEvidence = {
    app,
    device,
    session: events[0]?.session_id ?? session_id,
    receivedAt: received_at,
    source: batch.source,
    first: first && { from: String(first.wire['from']), to: String(first.wire['to']) },
    supplement,
    referer,
    origin,
  }
  const context: Context = {
    ...agentOf(supplement),
    ...placeOf?.(supplement),
    ...arrivalFor(evidence, arrivals),
    ...batch.visitor,
    ...supplement?.visitor,
    ...(numbered && events.length > 0 && ({ numbered } as const)),
    ...(historical && ({ historical } as const)),
  }
  return {
    version: 1,
    app: app.id,
    device_id: device,
    ...(session_id !== undefined && { session_id }),
    received_at,
    context,
  }
}

function stubOf(sent: unknown, { reason }: Dropped): RejectedEvent {
  const { event_id } = (sent ?? {}) as { event_id?: unknown }
  return isId(event_id) ? { event_id, reason } : { reason }
}

/** Returns the device of a rejected event, if it names a valid one; else that of the batch. */
function deviceOf(sent: unknown, batch: Batch): string {
  if (batch.cookieless) return NO_DEVICE
  const { device_id } = (sent ?? {}) as { device_id?: unknown }
  return isId(device_id) ? device_id : (batch.device_id ?? NO_DEVICE)
}

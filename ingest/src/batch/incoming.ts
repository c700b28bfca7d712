import type { App, Context, Event, EventType, RejectReason, WireEvent } from '@hopper/contracts'
import type { Agent } from '../agent.ts'
import type { Changes, Room } from '../repair/changes.ts'
import type { StatedArrival } from '../source/arrival.ts'

/** Statements of a sender about a visitor; they take precedence over what ingest derives. */
export type Visitor = Pick<Context, 'language' | 'screen' | 'country' | 'region'>

/** Fields of one request that apply to all its events. */
export interface Batch {
  readonly app: App
  readonly received_at: number
  /** lag of the sender's clock behind ours, in ms; 0 if the sender did not report its time */
  readonly clockBehindMs: number
  readonly device_id: string | undefined
  readonly session_id: string | undefined
  /** true when ingest derives the device, because the browser stores nothing */
  readonly cookieless: boolean
  /** in a cookieless batch, returns the device of an event by its time (ms since the epoch) */
  readonly deviceAt: ((timestamp: number) => string) | undefined
  /** true when the sender deliberately imports events of the past */
  readonly historical: boolean
  /** source of the session, when the body states it */
  readonly source: StatedArrival | undefined
  /** visitor as the body states it */
  readonly visitor: Visitor
  /** true when the body is so small that no event of it can exceed the size limit */
  readonly small: boolean
  /** the raw body, when everything in it outside of its events is kept by the log or its envelope */
  readonly body: Buffer | undefined
  /** true when every string of the body is valid Unicode: an escape can introduce half a surrogate pair */
  readonly isUnicode: boolean
  readonly room: Room
  /** occurrences so far of each content without an id */
  readonly repetitions: Map<string, number>
}

/** Statements of a server about one event that the fields of an event do not cover. */
export interface Supplement extends StatedArrival {
  /** user agent of the visitor, in the place of the one of the request */
  readonly userAgent?: string
  /** kind of device, browser and system of the visitor, where they are known and the user agent is not */
  readonly agent?: Pick<Agent, 'device' | 'browser' | 'os'>
  readonly visitor?: Visitor
  /** address of the visitor in the network: it is looked up for country and region, and never stored */
  readonly address?: string
  /** fields of the event that only ingest may set (`eventStoreFields`) */
  readonly stored?: Readonly<Record<string, unknown>>
}

/** An event on its way through the steps; each step adds its findings. */
export interface Incoming {
  readonly batch: Batch
  readonly index: number
  /** as it was sent */
  readonly sent: unknown
  readonly supplement: Supplement | undefined
  /** as it was sent, or repaired; its fields are valid after `checkFields` */
  wire: WireEvent
  /** changes compared with what was sent */
  changes: Changes | undefined
  type: EventType
  device_id: string
  event_id: string
  timestamp: number
  client_time: number | undefined
  /** fields that are stored in shortened form */
  stored: Readonly<Record<string, unknown>> | undefined
  /** event for the log */
  event: Event | undefined
  /** true when the log must not store the body as it was sent */
  rewritten: boolean
}

/** Event that a step rejected, with a message that names the field and what to do. */
export class Dropped {
  readonly reason: RejectReason
  readonly message: string

  constructor(reason: RejectReason, message: string) {
    this.reason = reason
    this.message = message
  }
}

/** Step of the pipeline: returns the same event with more fields filled in, or why it is rejected. */
export type Step = (incoming: Incoming) => Incoming | Dropped

/** Returns an event of a batch as it enters the pipeline; its steps fill in the empty fields. */
export function incomingOf(batch: Batch, index: number, sent: unknown, supplement?: Supplement): Incoming {
  return {
    batch,
    index,
    sent,
    supplement,
    wire: sent as WireEvent,
    changes: undefined,
    type: 'custom',
    device_id: '',
    event_id: '',
    timestamp: 0,
    client_time: undefined,
    stored: supplement?.stored,
    event: undefined,
    rewritten: false,
  }
}

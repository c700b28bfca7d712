import type { App, Event, EventType, RejectReason, WireEvent } from '@hopper/contracts'
import type { Changes, Room } from '../repair/changes.ts'

/** What one request says about all its events. */
export interface Batch {
  readonly app: App
  readonly received_at: number
  /** how far the sender's clock is behind ours, when it said what it shows */
  readonly clockBehindMs: number
  readonly device_id: string | undefined
  readonly session_id: string | undefined
  /** whether the sender brings in events of the past on purpose */
  readonly historical: boolean
  /** whether the body is so small that no event of it can be over the bound */
  readonly small: boolean
  /** the body itself, when there is nothing in it that the log would not keep, outside its events */
  readonly body: Buffer | undefined
  /** whether each text of the body is Unicode: an escape can smuggle in half a surrogate pair */
  readonly isUnicode: boolean
  readonly room: Room
  /** how often each content without an id has been met so far */
  readonly repetitions: Map<string, number>
}

/** One event on its way through the steps; each step fills in what it finds out. */
export interface Incoming {
  readonly batch: Batch
  readonly index: number
  /** as it was sent */
  readonly sent: unknown
  /** as it was sent, or repaired; its fields may be trusted after `checkFields` */
  wire: WireEvent
  /** what does not stand as it was sent */
  changes: Changes | undefined
  type: EventType
  device_id: string
  event_id: string
  timestamp: number
  client_time: number | undefined
  /** fields of which less is stored than was sent */
  stored: Readonly<Record<string, unknown>> | undefined
  /** what goes into the log */
  event: Event | undefined
  /** whether the log must hold something else than what was sent */
  rewritten: boolean
}

/** An event that a step refused, with a message that says which field and what to do. */
export class Dropped {
  readonly reason: RejectReason
  readonly message: string

  constructor(reason: RejectReason, message: string) {
    this.reason = reason
    this.message = message
  }
}

/** A step of the pipeline: the same event, known a little better, or why it goes no further. */
export type Step = (incoming: Incoming) => Incoming | Dropped

export function incomingOf(batch: Batch, index: number, sent: unknown): Incoming {
  return {
    batch,
    index,
    sent,
    wire: sent as WireEvent,
    changes: undefined,
    type: 'custom',
    device_id: '',
    event_id: '',
    timestamp: 0,
    client_time: undefined,
    stored: undefined,
    event: undefined,
    rewritten: false,
  }
}

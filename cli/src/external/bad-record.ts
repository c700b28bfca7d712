import { laneOf } from '@hopper/contracts'
import type { LaneMessage } from '@hopper/storage'

/** A record of another system that is not an event, with the place where it was found. */
export interface BadRecord {
  readonly app: string
  /** path of a file, or name of a topic */
  readonly source: string
  /** byte of the file at which its part begins, or partition and offset of the topic */
  readonly place: string
  readonly reason: string
  readonly message: string
  readonly record: string
}

/**
 * Builds a message from a bad record, which becomes a dead letter, since it has a version that no envelope has. The
 * dead letter names the app and the time of receipt, and has the record with its reason.
 */
export function badRecordMessage(bad: BadRecord, receivedAt: number, lanes: number): LaneMessage {
  const { app, ...external } = bad
  const value = Buffer.from(JSON.stringify({ version: 'bad record', app, received_at: receivedAt, external }))
  return { lane: laneOf(app, '', lanes), value }
}

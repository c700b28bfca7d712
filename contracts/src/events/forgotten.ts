import { hash } from 'node:crypto'

const ID_PREFIX = 'forgotten:'

/**
 * An event that was removed from its message because its person was forgotten, or because it has expired. Its index and
 * a hash of its id remain, so that the other events keep their places, and a forgotten event stays a duplicate if it is
 * sent again.
 */
export interface ForgottenEvent {
  /** index of the event in the message as it was sent */
  readonly index: number
  /** `forgottenId` of its id; without meaning for an expired event */
  readonly id: string
  /** the date under which its id is looked up: the UTC date of the client's own time */
  readonly date: string
  /** true if it has expired: it counts as rejected, and not as seen */
  readonly expired?: true
  /** of an expired event: the user that it identified the device as, if that still is in effect */
  readonly user_id?: string
}

/** Returns the hash that remains of the id of a forgotten event. */
export function forgottenId(app: string, eventId: string): string {
  return ID_PREFIX + hash('sha256', `${app}\0${eventId}`, 'base64url')
}

/**
 * Returns the SHA-256 of a device of an app in hex. Its first 64 bits are `deviceHash`, by which chunks are sorted and
 * lanes are chosen.
 */
export function deviceDigest(app: string, deviceId: string): string {
  return hash('sha256', `${app}\0${deviceId}`, 'hex')
}

/**
 * Returns the indexes of the events of an envelope in the message as it was sent; undefined when none was removed, so
 * that each event still has its own.
 */
export function sentIndexes({
  events,
  forgotten,
}: {
  readonly events: readonly unknown[]
  readonly forgotten?: readonly ForgottenEvent[]
}): number[] | undefined {
  if (forgotten === undefined || forgotten.length === 0) return undefined
  const removed = new Set(forgotten.map(({ index }) => index))
  const indexes: number[] = []
  for (let index = 0; indexes.length < events.length; index++) if (!removed.has(index)) indexes.push(index)
  return indexes
}

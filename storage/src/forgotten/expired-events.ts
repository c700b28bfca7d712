import {
  INSTANT_MS_MAX,
  isOlderThanKept,
  receivedFrom,
  sentIndexes,
  utcDate,
  type App,
  type Envelope,
  type ForgottenEvent,
} from '@hopper/contracts'
import { emptied } from './forgotten-events.ts'

/** Replaces the id of an expired event. */
const NO_ID = 'expired'

/**
 * Returns a message without its expired events; the message itself when there are none. The index of each removed event
 * remains while other events need it or its fate is still counted. If a removed event has identified the device and
 * `isInEffect` returns true, its user remains too: later events of the device belong to that user.
 */
export function withoutExpired(
  app: Pick<App, 'kept_from' | 'timezone'>,
  envelope: Envelope,
  isInEffect: (index: number, user: string) => boolean = () => false,
): Envelope {
  if (app.kept_from === undefined || Math.abs(envelope.received_at) > INSTANT_MS_MAX) return envelope
  const isFateKept = utcDate(envelope.received_at) >= receivedFrom(app)
  const indexes = sentIndexes(envelope)
  const events = envelope.events.filter((event) => !isOlderThanKept(app, event))
  const removed = envelope.events.flatMap((event, index): ForgottenEvent[] => {
    if (!isOlderThanKept(app, event)) return []
    return [expiredEvent(indexes?.[index] ?? index, utcDate(event.timestamp), event.user_id, isInEffect)]
  })
  const before = (envelope.forgotten ?? []).map((each) =>
    each.expired ? expiredEvent(each.index, each.date, each.user_id, isInEffect) : each,
  )
  const rejected = isFateKept ? envelope.rejected : undefined
  const all = [...before, ...removed].sort((a, b) => a.index - b.index)
  const isUsed = events.length > 0 || all.some(({ user_id }) => user_id !== undefined)
  const forgotten = isUsed || isFateKept ? all : all.filter(({ expired }) => !expired)
  const isSame =
    removed.length === 0 &&
    rejected === envelope.rejected &&
    forgotten.length === (envelope.forgotten ?? []).length &&
    forgotten.every(({ user_id }, index) => user_id === envelope.forgotten![index]!.user_id)
  if (isSame) return envelope
  const { version, device_id, received_at, context } = envelope
  const remaining = {
    events,
    ...(rejected === undefined ? {} : { rejected }),
    ...(forgotten.length > 0 ? { forgotten } : {}),
  }
  return isUsed || rejected !== undefined
    ? { version, app: envelope.app, device_id, received_at, context, ...remaining }
    : { ...emptied(envelope), ...remaining }
}

function expiredEvent(
  index: number,
  date: string,
  user: string | undefined,
  isInEffect: (index: number, user: string) => boolean,
): ForgottenEvent {
  const kept = user !== undefined && isInEffect(index, user) ? { user_id: user } : {}
  return { index, id: NO_ID, date, expired: true, ...kept }
}

import { setImmediate as pause } from 'node:timers/promises'
import {
  deviceDigest,
  encodeEnvelope,
  forgottenId,
  seenDateOf,
  sentIndexes,
  utcDate,
  validateEnvelope,
  type Envelope,
  type ForgetPart,
  type ForgottenDevice,
} from '@hopper/contracts'
import {
  ForgottenEvents,
  placeOf,
  rejectedPartition,
  withoutEvents,
  type EventLog,
  type LogMessage,
  type TableWriter,
} from '@hopper/storage'
import { messagesBetween } from '../recount/counted-messages.ts'
import { envelopeOfApp } from './envelope-of-app.ts'
import type { ForgetTask } from './forget-task.ts'

/** Maximum ids of forgotten events to look for among the events of others; some 80 bytes each. */
const IDS_MAX = 500_000
/** Maximum devices of repetitions to remember, see `ForgetPart.repeated`. */
const REPEATED_MAX = 10_000

/** A message of the log with a forgotten event, and the message without it. */
interface ChangedMessage {
  readonly position: number
  readonly before: Envelope
  readonly after: Envelope
  /** number of removed events, without those of messages that were never counted */
  readonly events: number
  /** devices and places of events that repeat a forgotten id, but are not in the places that belong to the person */
  readonly repeated: readonly { readonly device: string; readonly place: number }[]
}

/**
 * Finds the data of a person in a lane of the log: its events, events of any sender that repeat the id of one of them,
 * and its events that ingest refused.
 */
export class LogOfPerson {
  readonly #app: string
  readonly #events: ForgottenEvents
  readonly #ids = new Set<string>()

  constructor({ app, forget }: Pick<ForgetTask, 'app' | 'forget'>, part: ForgetPart) {
    this.#app = app.id
    this.#events = ForgottenEvents.of(app.id, [forget], [part])!
  }

  /** Returns how a message changes; undefined for one that stays. Must see the messages of a lane in order. */
  change({ position, value, isDamaged }: LogMessage): ChangedMessage | undefined {
    const before = isDamaged ? undefined : envelopeOfApp(value, this.#app)
    if (!before) return undefined
    const isValid = validateEnvelope(before) === undefined
    const without = this.#events.without(position, before, isValid)
    const repeated = isValid ? this.#repeated(without) : []
    const after =
      repeated.length > 0
        ? withoutEvents(without, (_, index) => repeated.some(({ storedIndex }) => storedIndex === index), false)
        : without
    for (const { date, id } of after.forgotten ?? []) if (this.#ids.size < IDS_MAX) this.#ids.add(`${date} ${id}`)
    const device = deviceDigest(this.#app, before.device_id)
    const places = repeated.map(({ index }) => ({ device, place: placeOf(position, index) }))
    const events = isValid ? before.events.length - after.events.length : 0
    return after === before ? undefined : { position, before, after, events, repeated: places }
  }

  /** Finds events of a message that repeat the id of a forgotten event at an earlier place. */
  #repeated(envelope: Envelope): { readonly storedIndex: number; readonly index: number }[] {
    const { events, forgotten = [] } = envelope
    if (events.length === 0 || (this.#ids.size === 0 && forgotten.length === 0)) return []
    const indexes = sentIndexes(envelope)
    const earlier = new Map<string, number>()
    for (const { date, id, index } of forgotten) if (!earlier.has(`${date} ${id}`)) earlier.set(`${date} ${id}`, index)
    return events.flatMap((event, storedIndex) => {
      const [name, index] = [
        nameOf(seenDateOf(event), event.event_id, this.#app),
        indexes?.[storedIndex] ?? storedIndex,
      ]
      return this.#ids.has(name) || (earlier.get(name) ?? Infinity) < index ? [{ storedIndex, index }] : []
    })
  }
}

/**
 * Adds the person's data in the log to a part, without changing the log, and removes the ids of its rejected events
 * from the tables: only the log shows which person they belong to.
 */
export async function countLog(
  { log, writer }: { readonly log: EventLog; readonly writer: TableWriter },
  task: ForgetTask,
  part: ForgetPart,
): Promise<ForgetPart> {
  const found = new LogOfPerson(task, part)
  const received = { ...part.received }
  const repeated = new Map<string, [from: number, to: number][]>()
  const begin = (await log.starts?.())?.[task.lane] ?? 0
  let [next, isWhole] = [begin, begin === 0]
  const tally = { messages: 0, events: 0, refused: 0 }
  for await (const messages of messagesBetween(log, task.lane, begin, await endOf(log, task.lane))) {
    task.assertOwned()
    for (const message of messages) {
      isWhole &&= message.position === next && message.isDamaged !== true
      next = message.position + 1
      const changed = found.change(message)
      if (!changed) continue
      const { before, after } = changed
      await removeRejected(writer, task, changed)
      received[utcDate(after.received_at)] ??= 0
      tally.messages++
      tally.events += changed.events
      tally.refused += (before.rejected ?? []).length - (after.rejected ?? []).length
      for (const { device, place: first } of changed.repeated)
        if (repeated.size < REPEATED_MAX) repeated.set(device, [...(repeated.get(device) ?? []), [first, first + 1]])
    }
    await pause()
  }
  const others = [...repeated].map(([device, ranges]): ForgottenDevice => ({ device, whole: false, ranges }))
  const archived = Object.values(part.tally.events).reduce((sum, n) => sum + n, 0)
  return {
    ...part,
    received,
    repeated: others,
    whole_log: isWhole,
    log_counted: true,
    tally: {
      ...part.tally,
      messages: tally.messages,
      repeated: Math.max(0, tally.events - archived),
      refused: tally.refused,
    },
  }
}

/** Removes the person's data from the messages of a lane. May be interrupted anywhere and run again. */
export async function rewriteLog(log: EventLog, task: ForgetTask, part: ForgetPart): Promise<void> {
  if (!log.rewrite) return
  const found = new LogOfPerson(task, part)
  for await (const messages of messagesBetween(log, task.lane, 0, await endOf(log, task.lane))) {
    task.assertOwned()
    const changed = messages.map((message) => found.change(message)).filter((change) => change !== undefined)
    if (changed.length > 0)
      await log.rewrite(
        task.lane,
        changed.map(({ position, after }) => ({ position, value: encodeEnvelope(after) })),
      )
    await pause()
  }
}

/** Removes the ids of the rejected events that a message loses, if this message has their first occurrence. */
async function removeRejected(
  writer: TableWriter,
  { app, lane, owned }: ForgetTask,
  { position, before, after }: ChangedMessage,
): Promise<void> {
  if (after.rejected !== undefined) return
  const sent: unknown[] = (before.rejected ?? []).map(({ event_id }) => event_id)
  const ids = sent.filter((id): id is string => typeof id === 'string' && id !== '')
  if (ids.length === 0) return
  const partition = rejectedPartition(app.id, utcDate(after.received_at))
  const first = await writer.firstPositions(lane, partition, ids)
  const gone = [...first].filter(([, firstPosition]) => firstPosition === position).map(([event_id]) => ({ event_id }))
  if (gone.length > 0) await owned.exclusively((lease) => writer.replaceSeen(lease, partition, gone))
}

async function endOf(log: EventLog, lane: number): Promise<number> {
  return (await log.ends())[lane] ?? 0
}

function nameOf(date: string, eventId: string, app: string): string {
  return `${date} ${forgottenId(app, eventId)}`
}

import { setImmediate as pause } from 'node:timers/promises'
import { encodeEnvelope, headOf, receivedFrom, utcDate, type Envelope, type RetentionPart } from '@hopper/contracts'
import { placeOf, withoutExpired, type EventLog, type LogMessage, type TableReader } from '@hopper/storage'
import { envelopeOfApp } from '../forget/envelope-of-app.ts'
import { messagesBetween } from '../recount/counted-messages.ts'
import type { RetentionTask } from './retention-task.ts'

/**
 * Removes the expired events from the messages of a lane, where the log can change messages: from all messages received
 * on expired dates, and from later ones that had expired events in the archive. May be interrupted anywhere and run
 * again.
 */
export async function trimLog(
  log: EventLog,
  reader: TableReader,
  task: RetentionTask,
  part: RetentionPart,
): Promise<RetentionPart> {
  if (!log.rewrite) return { ...part, scattered: [] }
  const { lane } = task
  let messages = 0
  const end = (await log.ends())[lane] ?? 0
  const { next, changed } = await trimBegin(log, reader, task, {
    from: part.log_position,
    to: end,
    isFirst: part.expired_to === undefined,
  })
  messages += changed
  for (const [from, to] of part.scattered) {
    for await (const batch of messagesBetween(log, lane, Math.max(from, next), to))
      messages += await trim(log, reader, task, batch)
  }
  return {
    ...part,
    log_position: next,
    scattered: [],
    tally: { ...part.tally, messages: part.tally.messages + messages },
  }
}

/**
 * Trims messages up to the first message of the app that was received on a kept date; in the first run all messages,
 * since old ones may also come late. Returns the position of that message.
 */
async function trimBegin(
  log: EventLog,
  reader: TableReader,
  task: RetentionTask,
  { from, to, isFirst }: { readonly from: number; readonly to: number; readonly isFirst: boolean },
): Promise<{ readonly next: number; readonly changed: number }> {
  const kept = receivedFrom(task.app)
  let changed = 0
  let next: number | undefined
  for await (const messages of messagesBetween(log, task.lane, from, to)) {
    const end = messages.findIndex(({ value }) => {
      const { app, received_at } = headOf(value)
      return app === task.app.id && received_at !== undefined && utcDate(received_at) >= kept
    })
    if (end >= 0) next ??= messages[end]!.position
    changed += await trim(log, reader, task, isFirst || end < 0 ? messages : messages.slice(0, end))
    if (end >= 0 && !isFirst) break
  }
  return { next: next ?? to, changed }
}

async function trim(
  log: EventLog,
  reader: TableReader,
  task: RetentionTask,
  messages: readonly LogMessage[],
): Promise<number> {
  task.assertOwned()
  const changed: LogMessage[] = []
  for (const { position, value, isDamaged } of messages) {
    const sent = isDamaged ? undefined : envelopeOfApp(value, task.app.id)
    if (!sent) continue
    const places = await placesOf(reader, task, sent)
    const after = withoutExpired(task.app, sent, (index) => places.has(placeOf(position, index)))
    if (after !== sent) changed.push({ position, value: encodeEnvelope(after) })
  }
  if (changed.length > 0) await log.rewrite!(task.lane, changed)
  await pause()
  return changed.length
}

/** The places from which on the device of a message belongs to somebody, if the message may name one. */
async function placesOf(
  reader: TableReader,
  { app }: RetentionTask,
  { device_id, events, forgotten = [] }: Envelope,
): Promise<ReadonlySet<number>> {
  const names = [...events, ...forgotten].some(({ user_id }) => user_id !== undefined)
  return new Set(names ? (await reader.identitiesOf(app.id, device_id)).map((identity) => identity.place) : [])
}

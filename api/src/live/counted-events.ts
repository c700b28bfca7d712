import {
  appOfMessage,
  seenDateOf,
  sentIndexes,
  tryDecodeEnvelope,
  validateEnvelope,
  type Envelope,
  type Event,
  type Fate,
} from '@hopper/contracts'
import { placeOf, readAhead, type ForgottenEvents, type LogMessage, type TableReader } from '@hopper/storage'
import type { Slices } from './slices.ts'

/** Bytes of messages that are decoded at a time; one message may be larger. */
const SLICE_BYTES = 65_536
/** Maximum number of concurrent look-ups; each is for the ids of one date. */
const DATES_CONCURRENCY = 16
const kept: ReadonlySet<Fate> = new Set(['accepted', 'late', 'bot'])

/** An event that the aggregator has judged and that is kept: accepted, late, or from a bot. */
export interface CountedEvent {
  readonly envelope: Envelope
  readonly event: Event
  readonly fate: Fate
  readonly lane: number
  readonly position: number
  readonly index: number
}

interface Candidate extends Omit<CountedEvent, 'fate'> {
  /** date of the partition of its id: the UTC date of the client's own time */
  readonly date: string
}

/** Messages of a lane, and the app whose events are wanted. */
export interface CountedMessages {
  readonly lane: number
  readonly messages: readonly LogMessage[]
  readonly app: string
  /** events of forgotten persons, which the log may still have */
  readonly forgotten: ForgottenEvents | undefined
}

/** Selects the events of an app that occur for the first time in some messages of a lane, in their order. */
export async function countedEvents(
  reader: TableReader,
  { lane, messages, app, forgotten }: CountedMessages,
  slices: Slices,
): Promise<CountedEvent[]> {
  const candidates: Candidate[] = []
  for (const some of slicesOf(messages))
    candidates.push(...(await slices.run(() => some.flatMap((message) => candidatesOf(lane, message, app, forgotten)))))
  const partitions = [...Map.groupBy(candidates, ({ date }) => date)]
  const seen = readAhead(
    partitions,
    ([date, some]) => reader.seen(lane, { app, date }, [...new Set(some.map(({ event }) => event.event_id))]),
    { concurrency: DATES_CONCURRENCY },
  )
  const counted: CountedEvent[] = []
  let partition = 0
  for await (const firsts of seen) counted.push(...firstOccurrences(partitions[partition++]![1], firsts))
  return counted.sort((a, b) => placeOf(a.position, a.index) - placeOf(b.position, b.index))
}

function firstOccurrences(
  candidates: readonly Candidate[],
  firsts: Awaited<ReturnType<TableReader['seen']>>,
): CountedEvent[] {
  const emitted = new Set<string>()
  return candidates.flatMap(({ date: _, ...candidate }) => {
    const { event_id } = candidate.event
    const first = firsts.get(event_id)
    if (first?.position !== candidate.position || !kept.has(first.fate) || emitted.has(event_id)) return []
    emitted.add(event_id)
    return [{ ...candidate, fate: first.fate }]
  })
}

function slicesOf(messages: readonly LogMessage[]): LogMessage[][] {
  const slices: LogMessage[][] = []
  let bytes = Infinity
  for (const message of messages) {
    if (bytes + message.value.length > SLICE_BYTES) {
      slices.push([])
      bytes = 0
    }
    slices.at(-1)!.push(message)
    bytes += message.value.length
  }
  return slices
}

function candidatesOf(
  lane: number,
  { position, value }: LogMessage,
  app: string,
  forgotten: ForgottenEvents | undefined,
): Candidate[] {
  if ((appOfMessage(value) ?? app) !== app) return []
  // A message that cannot be decoded is a dead letter.
  const sent = tryDecodeEnvelope(value)
  if (sent?.app !== app) return []
  const envelope = forgotten?.knows(sent)
    ? forgotten.without(position, sent, validateEnvelope(sent) === undefined)
    : sent
  const indexes = sentIndexes(envelope)
  return envelope.events.map((event, index) => ({
    envelope,
    event,
    lane,
    position,
    index: indexes?.[index] ?? index,
    date: seenDateOf(event),
  }))
}

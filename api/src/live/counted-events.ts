import { decodeEnvelope, type Envelope, type Event, type Fate } from '@hopper/contracts'
import { placeOf, type LogMessage, type TableReader } from '@hopper/storage'

/** An event that has just been counted. */
export interface CountedEvent {
  readonly envelope: Envelope
  readonly event: Event
  readonly fate: Fate
  readonly lane: number
  readonly position: number
  readonly index: number
}

interface Candidate extends Omit<CountedEvent, 'fate'> {
  /** of the partition that its id is looked up in: the UTC date of the client's own time */
  readonly date: string
}

/**
 * The events of some messages of a lane that count: those of the wanted apps that stand there for the first time and
 * are no machine's.
 */
export async function countedEvents(
  reader: TableReader,
  lane: number,
  messages: readonly LogMessage[],
  apps: ReadonlySet<string>,
): Promise<CountedEvent[]> {
  const candidates = messages.flatMap((message) => candidatesOf(lane, message, apps))
  const partitions = Map.groupBy(candidates, ({ envelope, date }) => `${envelope.app}\0${date}`)
  const counted: CountedEvent[] = []
  await Promise.all(
    [...partitions.values()].map(async (some) => {
      const { envelope, date } = some[0]!
      const seen = await reader.seen(lane, { app: envelope.app, date }, [
        ...new Set(some.map(({ event }) => event.event_id)),
      ])
      const told = new Set<string>()
      for (const { envelope, event, position, index } of some) {
        const { event_id } = event
        const first = seen.get(event_id)
        if (
          !first ||
          first.position !== position ||
          told.has(event_id) ||
          (first.fate !== 'accepted' && first.fate !== 'late')
        )
          continue
        told.add(event_id)
        counted.push({ envelope, event, fate: first.fate, lane, position, index })
      }
    }),
  )
  return counted.sort((a, b) => placeOf(a.position, a.index) - placeOf(b.position, b.index))
}

function candidatesOf(lane: number, { position, value }: LogMessage, apps: ReadonlySet<string>): Candidate[] {
  const envelope = decoded(value)
  if (!envelope || !apps.has(envelope.app)) return []
  return envelope.events.map((event, index) => ({
    envelope,
    event,
    lane,
    position,
    index,
    date: new Date(event.client_time ?? event.timestamp).toISOString().slice(0, 10),
  }))
}

/** What cannot be read is with the dead letters. */
function decoded(value: LogMessage['value']): Envelope | undefined {
  try {
    return decodeEnvelope(value)
  } catch {
    return undefined
  }
}

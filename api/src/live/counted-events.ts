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
  /** date of the partition of its id: the UTC date of the client's own time */
  readonly date: string
}

/**
 * Selects the events that count from some messages of a lane: those of the given apps that occur there for the first
 * time and are not from bots.
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
      const emitted = new Set<string>()
      for (const { envelope, event, position, index } of some) {
        const { event_id } = event
        const first = seen.get(event_id)
        if (
          !first ||
          first.position !== position ||
          emitted.has(event_id) ||
          (first.fate !== 'accepted' && first.fate !== 'late')
        )
          continue
        emitted.add(event_id)
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

/** Decodes an envelope; one that cannot be decoded is a dead letter. */
function decoded(value: LogMessage['value']): Envelope | undefined {
  try {
    return decodeEnvelope(value)
  } catch {
    return undefined
  }
}

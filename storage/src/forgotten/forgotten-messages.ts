import {
  DecodeError,
  decodeEnvelope,
  encodeEnvelope,
  forgottenId,
  laneOf,
  seenDateOf,
  validateEnvelope,
  type Envelope,
} from '@hopper/contracts'
import type { LogMessage } from '../ports/event-log.ts'
import type { Registry } from '../ports/registry.ts'
import type { TableReader } from '../ports/tables.ts'
import { ForgottenEvents, withoutEvents } from './forgotten-events.ts'

/** Where the ids of forgotten events are looked up. */
interface ForgottenIds {
  readonly reader: Pick<TableReader, 'seen'>
  /** number of lanes */
  readonly lanes: number
}

/**
 * Removes what is forgotten from messages that are copied: from the log into a dump, or from somewhere into the log.
 */
export class ForgottenMessages {
  readonly #registry: Registry
  readonly #apps = new Map<string, Promise<ForgottenEvents | undefined>>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Returns a message of the log as it counts: without what is forgotten of it. */
  async ofLog({ position, value }: LogMessage): Promise<Uint8Array> {
    return this.#changed(value, (envelope, forgotten) =>
      forgotten.without(position, envelope, validateEnvelope(envelope) === undefined),
    )
  }

  /**
   * Returns a message that is about to be appended again, from a dump or the dead letters. Besides what came before the
   * request, it loses events whose ids were forgotten here.
   */
  async appended(value: Uint8Array, { reader, lanes }: ForgottenIds): Promise<Uint8Array> {
    return this.#changed(value, async (envelope, forgotten) => {
      if (!forgotten.concerns(envelope)) return envelope
      const isValid = validateEnvelope(envelope) === undefined
      const kept = forgotten.without(Infinity, envelope, isValid)
      return isValid ? withoutIds(reader, laneOf(envelope.app, envelope.device_id, lanes), kept) : kept
    })
  }

  /**
   * Returns a message that ingest has made of old events, such as those of a file of another product. They are received
   * only now, so what was not known of a forgotten person counts; known events were forgotten here and are left out.
   */
  async made(envelope: Envelope, { reader, lanes }: ForgottenIds): Promise<Envelope> {
    const forgotten = await this.#of(envelope.app)
    if (!forgotten?.knows(envelope)) return envelope
    const kept = forgotten.without(Infinity, envelope, true)
    return withoutIds(reader, laneOf(envelope.app, envelope.device_id, lanes), kept)
  }

  async #changed(
    value: Uint8Array,
    change: (envelope: Envelope, forgotten: ForgottenEvents) => Envelope | Promise<Envelope>,
  ): Promise<Uint8Array> {
    const envelope = envelopeOf(value)
    const forgotten = envelope && (await this.#of(envelope.app))
    if (!forgotten) return value
    const changed = await change(envelope, forgotten)
    return changed === envelope ? value : encodeEnvelope(changed)
  }

  #of(app: string): Promise<ForgottenEvents | undefined> {
    const known = this.#apps.get(app) ?? ForgottenEvents.read(this.#registry, app)
    this.#apps.set(app, known)
    return known
  }
}

/** Returns a message without the events whose ids stand in the tables as forgotten. */
async function withoutIds(reader: ForgottenIds['reader'], lane: number, envelope: Envelope): Promise<Envelope> {
  const gone = new Set<string>()
  for (const [date, events] of Map.groupBy(envelope.events, seenDateOf)) {
    const ids = events.map(({ event_id }) => forgottenId(envelope.app, event_id))
    for (const id of (await reader.seen(lane, { app: envelope.app, date }, ids)).keys()) gone.add(`${date} ${id}`)
  }
  if (gone.size === 0) return envelope
  return withoutEvents(
    envelope,
    (event) => gone.has(`${seenDateOf(event)} ${forgottenId(envelope.app, event.event_id)}`),
    false,
  )
}

function envelopeOf(value: Uint8Array): Envelope | undefined {
  try {
    return decodeEnvelope(value)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

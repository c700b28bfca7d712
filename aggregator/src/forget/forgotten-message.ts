import { DecodeError, decodeEnvelope, encodeEnvelope, forgottenId, laneOf, type Envelope } from '@hopper/contracts'
import type { LogMessage, Registry, TableReader } from '@hopper/storage'
import { seenDateOf } from '../fold/seen-date.ts'
import { validateEnvelope } from '../judge/validate-envelope.ts'
import { ForgottenEvents, withoutEvents } from './forgotten-events.ts'

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
  async appended(value: Uint8Array, { reader, lanes }: { reader: TableReader; lanes: number }): Promise<Uint8Array> {
    return this.#changed(value, async (envelope, forgotten) => {
      if (!forgotten.concerns(envelope)) return envelope
      const isValid = validateEnvelope(envelope) === undefined
      const kept = forgotten.without(Infinity, envelope, isValid)
      return isValid ? withoutIds(reader, laneOf(envelope.app, envelope.device_id, lanes), kept) : kept
    })
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
async function withoutIds(reader: TableReader, lane: number, envelope: Envelope): Promise<Envelope> {
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

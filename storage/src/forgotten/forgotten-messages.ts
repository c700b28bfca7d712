import {
  tryDecodeEnvelope,
  encodeEnvelope,
  forgottenId,
  laneOf,
  seenDateOf,
  validateEnvelope,
  type App,
  type Envelope,
} from '@hopper/contracts'
import type { LogMessage } from '../ports/event-log.ts'
import type { Registry } from '../ports/registry.ts'
import { placeOf, type TableReader } from '../ports/tables.ts'
import { withoutExpired } from './expired-events.ts'
import { ForgottenEvents, withoutEvents } from './forgotten-events.ts'

/** Tables in which the ids of forgotten events are looked up. */
interface ForgottenIds {
  readonly reader: Pick<TableReader, 'seen'>
  /** number of lanes */
  readonly lanes: number
}

/**
 * Removes forgotten and expired events from messages that are copied: from the log into a dump, or from somewhere into
 * the log.
 */
export class ForgottenMessages {
  readonly #registry: Registry
  readonly #apps = new Map<string, Promise<ForgottenEvents | undefined>>()
  readonly #kept = new Map<string, Promise<App | undefined>>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Returns a message of the log as it counts: without forgotten or expired events. */
  async ofLog({ position, value }: LogMessage, reader: Pick<TableReader, 'identitiesOf'>): Promise<Uint8Array> {
    return this.#changed(value, async (envelope, forgotten) => {
      const kept = forgotten?.without(position, envelope, validateEnvelope(envelope) === undefined) ?? envelope
      return this.#withoutExpired(kept, async (device) => {
        const places = new Set((await reader.identitiesOf(envelope.app, device)).map(({ place }) => place))
        return (index) => places.has(placeOf(position, index))
      })
    })
  }

  /**
   * Returns a message that is about to be appended again, from a dump or the dead letters. Besides the events from
   * before the request, it loses events whose ids were forgotten here, and expired ones.
   */
  async appended(value: Uint8Array, { reader, lanes }: ForgottenIds): Promise<Uint8Array> {
    return this.#changed(value, async (envelope, forgotten) => {
      // At a new place, an identify does not take effect: the device may belong to somebody else by now.
      const kept = await this.#withoutExpired(envelope)
      if (!forgotten?.concerns(kept)) return kept
      const isValid = validateEnvelope(kept) === undefined
      const without = forgotten.without(Infinity, kept, isValid)
      return isValid ? withoutIds(reader, laneOf(kept.app, kept.device_id, lanes), without) : without
    })
  }

  /**
   * Returns a message that ingest has made of old events, such as those of a file of another product. They are received
   * only now, so unknown events of a forgotten person count; known events were forgotten here and are left out.
   */
  async made(envelope: Envelope, { reader, lanes }: ForgottenIds): Promise<Envelope> {
    const forgotten = await this.#of(envelope.app)
    if (!forgotten?.knows(envelope)) return envelope
    const kept = forgotten.without(Infinity, envelope, true)
    return withoutIds(reader, laneOf(envelope.app, envelope.device_id, lanes), kept)
  }

  async #changed(
    value: Uint8Array,
    change: (envelope: Envelope, forgotten: ForgottenEvents | undefined) => Promise<Envelope>,
  ): Promise<Uint8Array> {
    const envelope = tryDecodeEnvelope(value)
    if (!envelope) return value
    const [forgotten, app] = await Promise.all([this.#of(envelope.app), this.#app(envelope.app)])
    if (!forgotten && app?.kept_from === undefined) return value
    const changed = await change(envelope, forgotten)
    return changed === envelope ? value : encodeEnvelope(changed)
  }

  async #withoutExpired(
    envelope: Envelope,
    inEffect?: (device: string) => Promise<(index: number, user: string) => boolean>,
  ): Promise<Envelope> {
    const app = await this.#app(envelope.app)
    if (app?.kept_from === undefined) return envelope
    const names = [...envelope.events, ...(envelope.forgotten ?? [])].some(({ user_id }) => user_id !== undefined)
    return withoutExpired(app, envelope, names ? await inEffect?.(envelope.device_id) : undefined)
  }

  #app(id: string): Promise<App | undefined> {
    const known = this.#kept.get(id) ?? this.#registry.app(id)
    this.#kept.set(id, known)
    return known
  }

  #of(app: string): Promise<ForgottenEvents | undefined> {
    const known = this.#apps.get(app) ?? ForgottenEvents.read(this.#registry, app)
    this.#apps.set(app, known)
    return known
  }
}

/** Returns a message without the events whose ids are marked as forgotten in the tables. */
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

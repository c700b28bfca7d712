import fc from 'fast-check'
import type { Envelope, Event, ForgottenKind, RejectedEvent } from '@hopper/contracts'
import { withOverrides, type Storage } from '@hopper/storage'
import type { Placed } from './recount.fixture.ts'

const noon = Date.parse('2026-06-15T12:00:00Z')
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const url = fc.constantFrom('', 'https://s.example/', 'https://s.example/a', 'https://s.example/a?ref=x')
const elapsed_time = fc.nat(5_000)
const kind = fc.oneof(
  fc.record({ type: fc.constant('click'), target: fc.constantFrom('//a[1]', '//b'), elapsed_time, current_url: url }),
  fc.record({ type: fc.constant('url_change'), from: url, to: url, elapsed_time }),
  fc.record({
    type: fc.constant('btn_time'),
    target: fc.constantFrom('//a[1]', '//b'),
    action: fc.constantFrom('hover-then-leave', 'hover-then-clicked'),
    elapsed_time,
  }),
  fc.record({ type: fc.constant('identify'), user_id: fc.constantFrom('ann', 'bob') }),
  fc.record({ type: fc.constant('custom'), name: fc.constant('note'), data: fc.constant({ plan: 'pro', n: 1 }) }),
  fc.record({ type: fc.constant('custom'), name: fc.constant('note'), current_url: url }),
)
const user = fc.option(fc.constantFrom('ann', 'bob'), { freq: 6, nil: undefined })

const message = fc.record({
  device: fc.nat(3),
  bot: fc.nat(9),
  late: fc.nat(9),
  refused: fc.nat(5),
  events: fc.array(fc.tuple(kind, fc.nat(3), fc.nat(40), fc.nat(1), user), { minLength: 1, maxLength: 4 }),
})

/** The events of some devices on several dates, with repeated ids, bots, late and refused events. */
export const sentMessages = fc.array(message, { minLength: 1, maxLength: 30 })
export type SentMessages = typeof sentMessages extends fc.Arbitrary<infer T> ? T : never

/** Builds the envelopes of an app; `round` keeps ids of one round apart from those of another. */
export function envelopesOf(app: string, sent: SentMessages, round = 'first'): Envelope[] {
  return sent.map(({ device, bot, late, refused, events }): Envelope => {
    const built = events.map(([fields, date, id, session, user_id], index) => {
      const timestamp = noon + date * DAY_MS + device * HOUR_MS + index
      const base = { event_id: `${round} ${device} e${id}`, timestamp, seq: index, session_id: `${device} s${session}` }
      return { ...(user_id && { user_id }), ...fields, ...base }
    })
    // Ingest lets no event through that is more than a day ahead.
    const newest = built.reduce((last, { timestamp }) => Math.max(last, timestamp), 0)
    const received_at = newest + (late === 0 ? 9 * DAY_MS : 1_000)
    const rejected: RejectedEvent[] = refused === 0 ? [{ event_id: 'refused', reason: 'too_old' }] : []
    const context = { device: 'desktop', browser: device % 2 ? 'Firefox' : 'Chrome', os: 'Linux' } as const
    return {
      version: 1,
      app,
      device_id: `device-${device}`,
      received_at,
      context: bot === 0 ? { ...context, bot: 'webdriver' } : context,
      events: built,
      ...(rejected.length > 0 ? { rejected } : {}),
    }
  })
}

/**
 * Returns a log without the events that a person sent up to a position, and without repetitions of these: written from
 * the text of the documentation, with no code of Hopper.
 */
export function withoutPerson(
  log: readonly Placed[],
  { kind, id, before }: { readonly kind: ForgottenKind; readonly id: string; readonly before: number },
): Placed[] {
  const seen = new Set<string>()
  const users = new Map<string, string>()
  const first = new Map<string, string>()
  const owners: { head: string; events: string[] }[] = []
  const idOf = ({ client_time, timestamp, event_id }: Event): string =>
    `${new Date(client_time ?? timestamp).toISOString().slice(0, 10)} ${event_id}`
  for (const { envelope, position } of log) {
    const { device_id: device, events } = envelope
    const head = users.get(device) ?? ''
    owners.push({
      head,
      events: events.map((event) => {
        const isNew = !seen.has(idOf(event))
        seen.add(idOf(event))
        if (isNew && event.user_id !== undefined && position < before) {
          users.set(device, event.user_id)
          if (!first.has(device)) first.set(device, event.user_id)
        }
        return users.get(device) ?? ''
      }),
    })
  }
  const isOf = (device: string, owner: string): boolean =>
    kind === 'device' ? device === id : (owner === '' ? first.get(device) : owner) === id
  const forgotten = new Set<string>()
  return log.map(({ envelope, position }, message) => {
    const { device_id: device, rejected = [], ...rest } = envelope
    if (position >= before) return { position, envelope }
    const events = envelope.events.filter((event, index) => {
      const isGone = isOf(device, owners[message]!.events[index]!) || forgotten.has(idOf(event))
      if (isGone) forgotten.add(idOf(event))
      return !isGone
    })
    const kept = isOf(device, owners[message]!.head) ? [] : rejected
    return { position, envelope: { ...rest, device_id: device, events, rejected: kept } }
  })
}

/** Rejects, whether it is awaited or iterated. */
function dead(): Promise<never> & AsyncIterable<never> {
  const rejected = Promise.reject<never>(new Error('dead'))
  return Object.assign(rejected, { [Symbol.asyncIterator]: () => ({ next: () => rejected }) })
}

/** Wraps a storage so that everything rejects after some calls, as if the process was gone. */
export function failingAfter(storage: Storage, calls: number): Storage & { readonly isDead: () => boolean } {
  let left = calls
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value === 'object' && value !== null) return wrap(value)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (left-- <= 0) return dead()
          return (value as (...args: unknown[]) => unknown).apply(target, args)
        }
      },
    })
  const { reader, writer, archive, registry } = storage
  const log = withOverrides(storage.log, {
    rewrite: (...args) => (left-- <= 0 ? dead() : storage.log.rewrite!(...args)),
  })
  return {
    ...storage,
    log,
    reader: wrap(reader),
    writer: wrap(writer),
    archive: wrap(archive!),
    registry: wrap(registry),
    isDead: () => left <= 0,
  }
}

import type { App, Envelope, Event } from '@hopper/contracts'
import { recount, type Placed, type Recount } from './recount.fixture.ts'

/**
 * The expected tables after everything from before a UTC date has expired, whether it was counted before (`first`) or
 * arrived later (`later`): written from the documentation, without code of Hopper. The app is in UTC.
 */
export function afterExpiry(app: App, keptFrom: string, first: readonly Placed[], later: readonly Placed[]): Recount {
  const isOld = ({ timestamp }: Event): boolean => utcDate(timestamp) < keptFrom
  const withEvents = (log: readonly Placed[], isWanted: (event: Event) => boolean): Placed[] =>
    log.map(({ position, envelope }) => ({
      position,
      envelope: { ...envelope, events: envelope.events.filter(isWanted), rejected: [] },
    }))
  // A device without any event left is a new one for later events.
  const left = new Set(
    first
      .filter(({ envelope }) => envelope.events.some((event) => !isOld(event)))
      .map(({ envelope }) => envelope.device_id),
  )
  const renamed = first.map(({ position, envelope }): Placed => {
    const { device_id } = envelope
    return { position, envelope: { ...envelope, device_id: left.has(device_id) ? device_id : `gone ${device_id}` } }
  })
  const kept = later.map(({ position, envelope }): Placed => {
    return { position, envelope: { ...envelope, events: envelope.events.filter((event) => !isOld(event)) } }
  })
  const all = recount(app, [...renamed, ...kept])
  const isKept = (row: string): boolean => row.split('|')[1]! >= keptFrom
  const pick = <T>(rows: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(rows).filter(([row]) => isKept(row)))
  const counters: Record<string, number[]> = Object.fromEntries(
    Object.entries(pick(all.counters)).map(([row, values]) => [row, [...values]]),
  )
  const add = (row: string, events: number): void => {
    if (!isKept(row)) return
    counters[row] = [(counters[row]?.[0] ?? 0) + events]
    if (counters[row][0] === 0) delete counters[row]
  }
  const expired = recount(app, withEvents(renamed, isOld))
  for (const [row, [events = 0]] of Object.entries(expired.counters)) {
    const [table, date, fate] = row.split('|')
    if (table !== 'fates_by_date' || fate === 'duplicate') continue
    add(row, -events)
    add(`fates_by_date|${date}|rejected|expired`, events)
  }
  for (const { envelope } of later)
    add(`fates_by_date|${utcDate(envelope.received_at)}|rejected|expired`, envelope.events.filter(isOld).length)
  return { counters, persons: pick(all.persons), devices: pick(all.devices) }
}

/** Devices that have sent something on or after a UTC date. */
export function devicesLeft(log: readonly { readonly envelope: Envelope }[], keptFrom: string): ReadonlySet<string> {
  return new Set(
    log
      .filter(({ envelope }) => envelope.events.some(({ timestamp }) => utcDate(timestamp) >= keptFrom))
      .map(({ envelope }) => envelope.device_id),
  )
}

function utcDate(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

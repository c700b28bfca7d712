import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { datesBetween, encodeEnvelope, type App, type CountBy, type Envelope } from '@hopper/contracts'
import {
  counterTableNames,
  visitorTableNames,
  visitorTables,
  type LogMessage,
  type Storage,
  type TableReader,
} from '@hopper/storage'
import type { Placed, Recount } from './recount.fixture.ts'

/** The weeks around the times at which tests of lanes send: each date costs as many reads as there are tables. */
const DATES = [
  ['2026-03-22', '2026-04-05'],
  ['2026-04-28', '2026-05-04'],
  ['2026-06-08', '2026-07-05'],
  ['2026-10-18', '2026-11-01'],
].flatMap(([from, to]) => datesBetween(from!, to!))

/** Real storage with one lane, in a directory of its own. */
export interface LaneStore extends AsyncDisposable {
  readonly storage: Storage
  /** registers an app */
  app(id: string, timezone?: string, keepParameters?: string[]): Promise<App>
  /** appends envelopes to the log; returns them with their positions */
  append(envelopes: readonly Envelope[]): Promise<Placed[]>
  /** returns whether every message of the log is counted */
  isCounted(): Promise<boolean>
  /** reads all rows of an app */
  tables(app: string): Promise<Recount>
  /** number of events of an app by fate */
  fates(app: string): Promise<Record<string, number>>
}

export async function openLane(
  open: (options: { dir: string; lanes: number }) => Promise<Storage>,
): Promise<LaneStore> {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-lane-'))
  const storage = await open({ dir, lanes: 1 })
  return {
    storage,
    async app(id, timezone = 'UTC', keep_parameters = []) {
      const app: App = { id, organization: 'acme', name: id, timezone, origins: [], keep_parameters }
      await storage.registry.apps.put('acme', id, app)
      return app
    },
    async append(envelopes) {
      const places = await storage.log.append(envelopes)
      return places.map(({ position }, index) => ({ position, envelope: envelopes[index]! }))
    },
    async isCounted() {
      const [positions, ends] = await Promise.all([storage.lanes.positions(), storage.log.ends()])
      return positions[0] === ends[0]
    },
    async tables(app) {
      const [persons, devices] = await Promise.all([
        uniques(storage.reader, app, 'person'),
        uniques(storage.reader, app, 'device'),
      ])
      return { counters: await counters(storage.reader, app), persons, devices }
    },
    async fates(app) {
      const rows = await storage.reader.counters('fates_by_date', app, DATES)
      const sums: Record<string, number> = {}
      for (const { key, counters } of rows) sums[key[0]!] = (sums[key[0]!] ?? 0) + counters[0]!
      return sums
    },
    async [Symbol.asyncDispose]() {
      await storage.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function counters(reader: TableReader, app: string): Promise<Record<string, readonly number[]>> {
  const found = await Promise.all(
    counterTableNames.map(async (table) =>
      (await reader.counters(table, app, DATES)).map((row) => ({ table, ...row })),
    ),
  )
  return Object.fromEntries(
    found.flat().map(({ table, date, key, counters }) => [[table, date, ...key].join('|'), counters]),
  )
}

async function uniques(reader: TableReader, app: string, countBy: CountBy): Promise<Record<string, number>> {
  const found = await Promise.all(
    visitorTableNames.map(async (table) => {
      const groupBy = ['date', ...Object.keys(visitorTables[table].key)]
      return (await reader.uniques({ table, app, dates: DATES, prefix: [], groupBy, countBy })).map((row) => ({
        table,
        ...row,
      }))
    }),
  )
  return Object.fromEntries(found.flat().map(({ table, group, users }) => [[table, ...group].join('|'), users]))
}

/** Returns the messages of the log as a lane delivers them. */
export function messagesOf(log: readonly Placed[]): LogMessage[] {
  return log.map(({ position, envelope }) => ({ position, value: encodeEnvelope(envelope) }))
}

/** Builds an envelope from a desktop browser; missing fields get defaults. */
export function envelopeOf(app: string, fields: Partial<Envelope>): Envelope {
  const received_at = fields.events?.[0]?.timestamp ?? Date.parse('2026-06-15T12:00:00Z')
  return {
    version: 1,
    app,
    device_id: 'd',
    received_at,
    context: { device: 'desktop', browser: 'Firefox', os: 'Linux' },
    events: [],
    ...fields,
  }
}

/** Resolves when the condition holds; rejects after ten seconds, or as long as the caller says. */
export async function until(condition: () => Promise<boolean>, waitMs = 10_000): Promise<void> {
  const end = performance.now() + waitMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not met in time: ${String(condition)}`)
    await new Promise((next) => setTimeout(next, 20))
  }
}

import { HopperError } from '@hopper/contracts'
import type { Client } from 'cassandra-driver'
import { visitorTables, type VisitorTableName } from '../../ports/table-definitions.ts'
import type { UniquesQuery, UniquesRow } from '../../ports/tables.ts'
import { compareKeys } from '../client/compare-keys.ts'
import { mapConcurrent } from '../client/map-concurrent.ts'
import { DistinctVisitors, type DatedVisitors } from './distinct-visitors.ts'
import { FirstUserCache, type FirstUsers } from './first-user-cache.ts'
import { VisitorCache } from './visitor-cache.ts'
import { NameNumbers } from './name-numbers.ts'
import { versionKey, versionsOf } from '../visitors/versions.ts'
import { NO_DATE } from '../visitors/visitor-parts.ts'

const READS_AT_ONCE = 64

/** What is kept of an app. */
class KeptApp {
  readonly #numbers = new NameNumbers()
  readonly visitors: VisitorCache
  readonly firstUsers: FirstUserCache
  readonly distinct = new DistinctVisitors()

  constructor(client: Client, app: string) {
    this.visitors = new VisitorCache(client, app, this.#numbers)
    this.firstUsers = new FirstUserCache(client, app, this.#numbers)
  }

  get bytes(): number {
    return this.#numbers.bytes + this.visitors.bytes + this.firstUsers.bytes + this.distinct.bytes
  }
}

/**
 * Counts distinct visitors exactly. Reading every row of every partition takes seconds for a million visitors, so what
 * was read is kept, and only the partitions whose version is another are read again; the least recently asked apps are
 * forgotten over `keptBytesMax`.
 */
export class Uniques {
  readonly #client: Client
  readonly #lanes: number
  readonly #keptBytesMax: number
  readonly #apps = new Map<string, KeptApp>()

  constructor(client: Client, lanes: number, keptBytesMax: number) {
    this.#client = client
    this.#lanes = lanes
    this.#keptBytesMax = keptBytesMax
  }

  async count(query: UniquesQuery): Promise<readonly UniquesRow[]> {
    const { table, app, dates, groupBy, countBy, prefix } = query
    const kept = this.#keptOf(app)
    const places = groupBy.map((column) => placeOfColumn(table, column))
    const [partitions, firstUsers] = await Promise.all([
      this.#partitions(kept, query),
      countBy === 'person' ? this.#firstUsers(kept, app) : [],
    ])
    const counted = await kept.distinct.count(partitions, dates, firstUsers, {
      name: JSON.stringify([table, prefix, groupBy, countBy]),
      byDate: groupBy.includes('date'),
      byDevice: countBy === 'device',
      groupOf: (key, date) => places.map((place) => (place < 0 ? date : key[place]!)),
    })
    this.#forget()
    const rows = counted.map(({ group, count }) => ({ group, users: count }))
    return groupBy.length === 0 && rows.length === 0
      ? [{ group: [], users: 0 }]
      : rows.sort((a, b) => compareKeys(a.group, b.group))
  }

  async #partitions(kept: KeptApp, { table, app, dates, prefix }: UniquesQuery): Promise<DatedVisitors[]> {
    const asOf = performance.now()
    const versions = await versionsOf(this.#client, table, app, dates)
    const wanted = dates.flatMap((date) =>
      this.#laneNumbers().map((lane) => ({ table, date, lane, prefix, version: versions.get(versionKey(date, lane)) })),
    )
    return mapConcurrent(wanted, READS_AT_ONCE, async (partition) => ({
      date: partition.date,
      visitors: await kept.visitors.partition(partition, asOf),
    }))
  }

  async #firstUsers(kept: KeptApp, app: string): Promise<FirstUsers[]> {
    const asOf = performance.now()
    const versions = await versionsOf(this.#client, 'first_users', app, [NO_DATE])
    return mapConcurrent(this.#laneNumbers(), READS_AT_ONCE, (lane) =>
      kept.firstUsers.lane(lane, versions.get(versionKey(NO_DATE, lane)), asOf),
    )
  }

  /** The app's, as the one that was asked last. */
  #keptOf(app: string): KeptApp {
    const kept = this.#apps.get(app) ?? new KeptApp(this.#client, app)
    this.#apps.delete(app)
    this.#apps.set(app, kept)
    return kept
  }

  #forget(): void {
    let bytes = [...this.#apps.values()].reduce((sum, kept) => sum + kept.bytes, 0)
    for (const [app, kept] of this.#apps) {
      if (bytes <= this.#keptBytesMax) return
      this.#apps.delete(app)
      bytes -= kept.bytes
    }
  }

  #laneNumbers(): number[] {
    return Array.from({ length: this.#lanes }, (_, lane) => lane)
  }
}

/** -1 for the date. */
function placeOfColumn(table: VisitorTableName, column: string): number {
  const place = Object.keys(visitorTables[table].key).indexOf(column)
  if (place < 0 && column !== 'date') throw new HopperError('HOP_INTERNAL', `${table} has no key column ${column}.`)
  return place
}

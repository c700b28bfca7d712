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

const READ_CONCURRENCY = 64

/** The caches of an app. */
class AppCache {
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
 * Counts distinct visitors exactly. Reading every row of every partition takes seconds for a million visitors, so
 * visitors are cached, and only partitions whose version has changed are read again. Beyond `keptBytesMax` the least
 * recently used apps are evicted.
 */
export class Uniques {
  readonly #client: Client
  readonly #lanes: number
  readonly #cacheBytesMax: number
  readonly #apps = new Map<string, AppCache>()

  constructor(client: Client, lanes: number, cacheBytesMax: number) {
    this.#client = client
    this.#lanes = lanes
    this.#cacheBytesMax = cacheBytesMax
  }

  async count(query: UniquesQuery): Promise<readonly UniquesRow[]> {
    const { table, app, dates, groupBy, countBy, prefix } = query
    const cache = this.#cacheOf(app)
    const places = groupBy.map((column) => indexOfColumn(table, column))
    const [partitions, firstUsers] = await Promise.all([
      this.#partitions(cache, query),
      countBy === 'person' ? this.#firstUsers(cache, app) : [],
    ])
    const counted = await cache.distinct.count(partitions, dates, firstUsers, {
      name: JSON.stringify([table, prefix, groupBy, countBy]),
      byDate: groupBy.includes('date'),
      byDevice: countBy === 'device',
      groupOf: (key, date) => places.map((place) => (place < 0 ? date : key[place]!)),
    })
    this.#evict()
    const rows = counted.map(({ group, count }) => ({ group, users: count }))
    return groupBy.length === 0 && rows.length === 0
      ? [{ group: [], users: 0 }]
      : rows.sort((a, b) => compareKeys(a.group, b.group))
  }

  async #partitions(cache: AppCache, { table, app, dates, prefix }: UniquesQuery): Promise<DatedVisitors[]> {
    const asOf = performance.now()
    const versions = await versionsOf(this.#client, table, app, dates)
    const wanted = dates.flatMap((date) =>
      this.#laneNumbers().map((lane) => ({ table, date, lane, prefix, version: versions.get(versionKey(date, lane)) })),
    )
    return mapConcurrent(wanted, READ_CONCURRENCY, async (partition) => ({
      date: partition.date,
      visitors: await cache.visitors.partition(partition, asOf),
    }))
  }

  async #firstUsers(cache: AppCache, app: string): Promise<FirstUsers[]> {
    const asOf = performance.now()
    const versions = await versionsOf(this.#client, 'first_users', app, [NO_DATE])
    return mapConcurrent(this.#laneNumbers(), READ_CONCURRENCY, (lane) =>
      cache.firstUsers.lane(lane, versions.get(versionKey(NO_DATE, lane)), asOf),
    )
  }

  /** The caches of an app, marked as most recently used. */
  #cacheOf(app: string): AppCache {
    const cache = this.#apps.get(app) ?? new AppCache(this.#client, app)
    this.#apps.delete(app)
    this.#apps.set(app, cache)
    return cache
  }

  #evict(): void {
    let bytes = [...this.#apps.values()].reduce((sum, cache) => sum + cache.bytes, 0)
    for (const [app, cache] of this.#apps) {
      if (bytes <= this.#cacheBytesMax) return
      this.#apps.delete(app)
      bytes -= cache.bytes
    }
  }

  #laneNumbers(): number[] {
    return Array.from({ length: this.#lanes }, (_, lane) => lane)
  }
}

/** The index of a key column; -1 for the date. */
function indexOfColumn(table: VisitorTableName, column: string): number {
  const place = Object.keys(visitorTables[table].key).indexOf(column)
  if (place < 0 && column !== 'date') throw new HopperError('HOP_INTERNAL', `${table} has no key column ${column}.`)
  return place
}

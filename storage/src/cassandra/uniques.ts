import { HopperError } from '@hopper/contracts'
import type { Client } from 'cassandra-driver'
import { visitorTables, type Key, type VisitorTableName } from '../ports/table-definitions.ts'
import type { UniquesQuery, UniquesRow } from '../ports/tables.ts'
import { compareKeys } from './compare-keys.ts'
import { concurrently } from './concurrently.ts'
import { KeptVisitors, type FirstUser, type KeyRun, type VisitorRuns } from './kept-visitors.ts'
import { firstUserVersions, versionKey, versionsOf } from './versions.ts'

const READS_AT_ONCE = 64

/** Rows of one group: a run of one partition. */
interface GroupRun {
  readonly run: KeyRun
  readonly of: VisitorRuns
}

/**
 * Counts distinct visitors exactly. Reading every row of every partition takes seconds for a million visitors, so what was read is kept, and only the
 * partitions whose version is another are read again; the least recently asked apps are forgotten over `keptBytesMax`.
 */
export class Uniques {
  readonly #client: Client
  readonly #lanes: number
  readonly #keptBytesMax: number
  readonly #apps = new Map<string, KeptVisitors>()

  constructor(client: Client, lanes: number, keptBytesMax: number) {
    this.#client = client
    this.#lanes = lanes
    this.#keptBytesMax = keptBytesMax
  }

  async count({ table, app, dates, prefix, groupBy, countBy }: UniquesQuery): Promise<readonly UniquesRow[]> {
    const kept = this.#keptOf(app)
    const places = groupBy.map((column) => placeOfColumn(table, column))
    const [partitions, firstUsers] = await Promise.all([
      this.#partitions(kept, { table, app, dates, prefix }), countBy === 'person' ? this.#firstUsers(kept, app) : [],
    ])
    const groups = new Map<string, { group: Key; runs: GroupRun[] }>()
    for (const { date, of } of partitions) {
      for (const run of of.runs) {
        const group = places.map((place) => (place < 0 ? date : run.key[place]!))
        const id = JSON.stringify(group)
        const found = groups.get(id)
        if (found) found.runs.push({ run, of })
        else groups.set(id, { group, runs: [{ run, of }] })
      }
    }
    const counted = countDistinct([...groups.values()].map(({ runs }) => runs), visitorOf(kept, firstUsers), countBy === 'device')
    const rows = [...groups.values()].map(({ group }, at) => ({ group, users: counted[at]! }))
    this.#forget()
    return groupBy.length === 0 && rows.length === 0 ? [{ group: [], users: 0 }] : rows.sort((a, b) => compareKeys(a.group, b.group))
  }

  async #partitions(
    kept: KeptVisitors, { table, app, dates, prefix }: Pick<UniquesQuery, 'table' | 'app' | 'dates' | 'prefix'>,
  ): Promise<{ date: string; of: VisitorRuns }[]> {
    const versions = await versionsOf(this.#client, table, app, dates)
    const lanes = this.#laneNumbers()
    const wanted = dates.flatMap((date) => lanes.map((lane) => ({ table, date, lane, prefix, version: versions.get(versionKey(date, lane)) })))
    return concurrently(wanted, READS_AT_ONCE, async (partition) => ({ date: partition.date, of: await kept.partition(partition) }))
  }

  async #firstUsers(kept: KeptVisitors, app: string): Promise<FirstUser[]> {
    const versions = await firstUserVersions(this.#client, app)
    return (await concurrently(this.#laneNumbers(), READS_AT_ONCE, (lane) => kept.firstUsers(lane, versions.get(versionKey('', lane))))).flat()
  }

  /** The app's, as the one that was asked last. */
  #keptOf(app: string): KeptVisitors {
    const kept = this.#apps.get(app) ?? new KeptVisitors(this.#client, app)
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

/** The person of each device, by number: its first user, or itself. */
function visitorOf(kept: KeptVisitors, firstUsers: readonly FirstUser[]): Uint32Array {
  const persons = new Uint32Array(kept.names + 1)
  for (let number = 1; number < persons.length; number++) persons[number] = number
  for (const [device, user] of firstUsers) persons[device] = user
  return persons
}

/** Each visitor is stamped with the last group that has counted it. */
function countDistinct(groups: readonly (readonly GroupRun[])[], persons: Uint32Array, byDevice: boolean): number[] {
  const stamps = new Uint32Array(persons.length)
  return groups.map((runs, at) => {
    let count = 0
    for (const { run: { begin, end }, of: { devices, users } } of runs) {
      for (let row = begin; row < end; row++) {
        const user = byDevice ? 0 : users[row]!
        const visitor = user === 0 ? persons[devices[row]!]! : user
        if (stamps[visitor] === at + 1) continue
        stamps[visitor] = at + 1
        count++
      }
    }
    return count
  })
}

import type { Key } from '../../ports/table-definitions.ts'
import type { FirstUsers } from './first-user-cache.ts'
import { VersionedCache } from '../client/versioned-cache.ts'
import type { KeyVisitors, PartitionVisitors } from './visitor-cache.ts'
import { NumberSet } from './number-set.ts'

/** Events of the last two dates still arrive; counts of earlier dates are cached. */
const OPEN_DATES = 2
const SETTLED_BYTES_MAX = 32_000_000
const GROUP_BYTES = 300
/** Arrays grow by this factor, so that few new visitors need larger ones. */
const ROOM = 1.25

/** The visitors of a lane on a date. */
export interface DatedVisitors {
  readonly date: string
  readonly visitors: PartitionVisitors
}

/** A query for distinct visitors per group. */
export interface Grouping {
  /** identifies the query, apart from its dates and rows */
  readonly name: string
  /** the group of a row's key on a date */
  readonly groupOf: (key: Key, date: string) => Key
  /** true if a group belongs to one date, so that other dates add nothing to it */
  readonly byDate: boolean
  /** counts devices instead of persons */
  readonly byDevice: boolean
}

/** The number of distinct visitors of a group, and their set if others may still be added. */
export interface CountedGroup {
  readonly group: Key
  readonly count: number
  readonly members: NumberSet | undefined
}

/** Groups by the text of their keys, and the devices that were counted as their own persons, if recorded. */
interface Counted {
  readonly groups: ReadonlyMap<string, CountedGroup>
  readonly unidentifiedDevices: NumberSet | undefined
}

/** Sets that a count reads (`known`) or fills. */
interface VisitorSets {
  readonly known: NumberSet | undefined
  readonly members: NumberSet | undefined
  readonly unidentifiedDevices: NumberSet | undefined
}

/** State of the first users of a lane. */
interface Identified {
  readonly id: number
  readonly count: number
}

/** Version of a count: the partitions, by their ids, and the first users of the lanes. */
interface Of {
  readonly partitions: string
  readonly identified: readonly Identified[]
}

/**
 * Counts distinct visitors of one app, given as numbers. The counts of dates before the last ones are cached as long as
 * their input is unchanged.
 */
export class DistinctVisitors {
  readonly #settled = new VersionedCache<Of, Counted>(SETTLED_BYTES_MAX, bytesOf, same)
  readonly #persons = new VersionedCache<readonly Identified[], Uint32Array>(
    Infinity,
    ({ byteLength }) => byteLength,
    sameIdentified,
  )
  /** for each number, the last group that has counted it */
  #stamps = new Uint32Array(0)
  #stamp = 0

  /** estimated memory in use */
  get bytes(): number {
    return this.#settled.bytes + this.#persons.bytes + this.#stamps.byteLength
  }

  /** Counts per group. `firstUsers` are those of every lane; none when devices are counted. */
  async count(
    partitions: readonly DatedVisitors[],
    dates: readonly string[],
    firstUsers: readonly FirstUsers[],
    grouping: Grouping,
  ): Promise<CountedGroup[]> {
    this.#makeRoom(
      [...partitions.map(({ visitors }) => visitors), ...firstUsers].reduce(
        (most, { highest }) => Math.max(most, highest),
        0,
      ),
    )
    const openFrom = dates.at(-OPEN_DATES) ?? ''
    const [settled, open] = [
      partitions.filter(({ date }) => date < openFrom),
      partitions.filter(({ date }) => date >= openFrom),
    ]
    const identified = firstUsers.map(({ id, devices }): Identified => ({ id, count: devices.length }))
    const persons = await this.#persons.get('', identified, Infinity, () => Promise.resolve(personsOf(firstUsers)))
    const inputs = { partitions: settled.map(({ visitors: { id } }) => id).join(), identified }
    const before = await this.#settled.get(
      JSON.stringify([grouping.name, dates[0], openFrom]),
      inputs,
      Infinity,
      async (found) => {
        const counted = found?.version.partitions === inputs.partitions ? await found.value : undefined
        return counted && !concerns(counted.unidentifiedDevices, found!.version.identified, firstUsers)
          ? counted
          : this.#tally(settled, undefined, persons, grouping)
      },
    )
    return [...new Map([...before.groups, ...this.#tally(open, before, persons, grouping).groups]).values()]
  }

  /** Counts partitions. Records the sets of visitors unless `before` is given. */
  #tally(
    partitions: readonly DatedVisitors[],
    before: Counted | undefined,
    persons: Uint32Array,
    { groupOf, byDate, byDevice }: Grouping,
  ): Counted {
    const groups = new Map<string, { readonly group: Key; readonly rows: KeyVisitors[] }>()
    for (const {
      date,
      visitors: { keys },
    } of partitions) {
      for (const rows of keys) {
        const group = groupOf(rows.key, date)
        const id = JSON.stringify(group)
        const found = groups.get(id)
        if (found) found.rows.push(rows)
        else groups.set(id, { group, rows: [rows] })
      }
    }
    const unidentifiedDevices = before || byDevice ? undefined : new NumberSet(this.#stamps.length)
    return {
      unidentifiedDevices,
      groups: new Map(
        [...groups].map(([id, { group, rows }]) => {
          const members = before || byDate ? undefined : new NumberSet(this.#stamps.length)
          const known = before?.groups.get(id)
          const visitors = byDevice ? devicesOf(rows) : rows
          return [
            id,
            {
              group,
              count:
                (known?.count ?? 0) +
                this.#distinct(visitors, persons, { known: known?.members, members, unidentifiedDevices }),
              members,
            },
          ]
        }),
      ),
    }
  }

  /**
   * Number of visitors of the rows that are not in `known`. Adds them to `members`, and those without a user to
   * `unidentifiedDevices`.
   */
  #distinct(
    rows: readonly KeyVisitors[],
    persons: Uint32Array,
    { known, members, unidentifiedDevices }: VisitorSets,
  ): number {
    const [stamps, stamp] = [this.#stamps, this.#nextStamp()]
    let count = 0
    for (const { devices, users } of rows) {
      for (let index = 0; index < devices.length; index++) {
        const device = devices[index]!
        let visitor = index < users.length ? users[index]! : 0
        if (visitor === 0) visitor = device < persons.length ? persons[device]! || device : device
        if (stamps[visitor] === stamp) continue
        stamps[visitor] = stamp
        if (known?.has(visitor)) continue
        members?.add(visitor)
        if (visitor === device) unidentifiedDevices?.add(device)
        count++
      }
    }
    return count
  }

  #makeRoom(highest: number): void {
    if (highest >= this.#stamps.length) this.#stamps = new Uint32Array(Math.ceil((highest + 1) * ROOM))
  }

  #nextStamp(): number {
    if (this.#stamp === 0xffff_ffff) this.#stamps.fill((this.#stamp = 0))
    return ++this.#stamp
  }
}

function devicesOf(rows: readonly KeyVisitors[]): KeyVisitors[] {
  return rows.map(({ key, devices }) => ({ key, devices, users: new Uint32Array(0) }))
}

/** The person of each device number: its first user; 0, or missing, for a device without one. */
function personsOf(firstUsers: readonly FirstUsers[]): Uint32Array {
  const persons = new Uint32Array(firstUsers.reduce((most, { highest }) => Math.max(most, highest), -1) + 1)
  for (const { devices, users } of firstUsers)
    for (let index = 0; index < devices.length; index++) persons[devices[index]!] ||= users[index]!
  return persons
}

/** True if a device that has been identified since was counted as its own person, or if that cannot be determined. */
function concerns(
  unidentifiedDevices: NumberSet | undefined,
  before: readonly Identified[],
  now: readonly FirstUsers[],
): boolean {
  return (
    unidentifiedDevices !== undefined &&
    now.some(({ id, devices }, lane) => {
      const then = before[lane]
      return then?.id !== id || devices.subarray(then.count).some((device) => unidentifiedDevices.has(device))
    })
  )
}

function same(a: Of, b: Of): boolean {
  return a.partitions === b.partitions && sameIdentified(a.identified, b.identified)
}

function sameIdentified(a: readonly Identified[], b: readonly Identified[]): boolean {
  return a.length === b.length && a.every(({ id, count }, lane) => id === b[lane]!.id && count === b[lane]!.count)
}

function bytesOf({ groups, unidentifiedDevices }: Counted): number {
  return [...groups.values()].reduce(
    (sum, { members }) => sum + GROUP_BYTES + (members?.bytes ?? 0),
    unidentifiedDevices?.bytes ?? 0,
  )
}

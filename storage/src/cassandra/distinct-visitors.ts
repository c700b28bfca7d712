import type { Key } from '../ports/table-definitions.ts'
import { Kept } from './kept.ts'
import type { FirstUsers, KeyVisitors, PartitionVisitors } from './kept-visitors.ts'

/** Events of the last two dates still come; what is counted of those before is kept. */
const OPEN_DATES = 2
const SETTLED_BYTES_MAX = 32_000_000
const GROUP_BYTES = 300
const BITS = 32
/** New visitors come: not each needs larger arrays. */
const ROOM = 1.25

/** The visitors of a date and lane, in the order of the dates. */
export interface DatedVisitors {
  readonly date: string
  readonly visitors: PartitionVisitors
}

/** What is counted together. */
export interface Grouping {
  /** what names the question, apart from its dates and rows */
  readonly name: string
  /** the group of a row's key on a date */
  readonly groupOf: (key: Key, date: string) => Key
  /** whether a group is of one date, so that those of other dates add nothing to it */
  readonly byDate: boolean
  /** devices instead of persons */
  readonly byDevice: boolean
}

/** How many distinct visitors a group has, and who they are when others may still be added: a bit for each number. */
export interface CountedGroup {
  readonly group: Key
  readonly count: number
  readonly members: Uint32Array | undefined
}

type Groups = ReadonlyMap<string, CountedGroup>

/** Counts distinct visitors of one app, given as numbers. What it has counted of dates that are over is kept as long as their visitors are the same. */
export class DistinctVisitors {
  readonly #settled = new Kept<string, Groups>(SETTLED_BYTES_MAX, bytesOf)
  readonly #persons = new Kept<string, Uint32Array>(Infinity, ({ byteLength }) => byteLength)
  /** for each number the last group that has counted it */
  #stamps = new Uint32Array(0)
  #stamp = 0

  /** about how much memory this takes */
  get bytes(): number {
    return this.#settled.bytes + this.#persons.bytes + this.#stamps.byteLength
  }

  async count(partitions: readonly DatedVisitors[], dates: readonly string[], firstUsers: readonly FirstUsers[], grouping: Grouping): Promise<CountedGroup[]> {
    const openFrom = dates.at(-OPEN_DATES) ?? ''
    const [settled, open] = [partitions.filter(({ date }) => date < openFrom), partitions.filter(({ date }) => date >= openFrom)]
    this.#makeRoom([...partitions.map(({ visitors }) => visitors), ...firstUsers].reduce((most, { highest }) => Math.max(most, highest), 0))
    const identified = firstUsers.map(({ id }) => id).join()
    const persons = await this.#persons.get('', identified, Infinity, () => Promise.resolve(personsOf(firstUsers)))
    const seen = [identified, ...settled.map(({ visitors: { id } }) => id)].join()
    const name = JSON.stringify([grouping.name, dates[0], openFrom])
    const before = await this.#settled.get(name, seen, Infinity, () => Promise.resolve(this.#tally(settled, new Map(), persons, { ...grouping, keeps: !grouping.byDate })))
    return [...new Map([...before, ...this.#tally(open, before, persons, { ...grouping, keeps: false })]).values()]
  }

  #tally(partitions: readonly DatedVisitors[], before: Groups, persons: Uint32Array, { groupOf, byDevice, keeps }: Grouping & { readonly keeps: boolean }): Groups {
    const groups = new Map<string, { readonly group: Key; readonly rows: KeyVisitors[] }>()
    for (const { date, visitors: { keys } } of partitions) {
      for (const rows of keys) {
        const group = groupOf(rows.key, date)
        const id = JSON.stringify(group)
        const found = groups.get(id)
        if (found) found.rows.push(rows)
        else groups.set(id, { group, rows: [rows] })
      }
    }
    return new Map([...groups].map(([id, { group, rows }]) => {
      const members = keeps ? new Uint32Array(Math.ceil(this.#stamps.length / BITS)) : undefined
      const known = before.get(id)
      return [id, { group, count: (known?.count ?? 0) + this.#distinct(rows, persons, byDevice, known?.members, members), members }]
    }))
  }

  /** how many of the rows' visitors are not known; they become members */
  #distinct(rows: readonly KeyVisitors[], persons: Uint32Array, byDevice: boolean, known: Uint32Array | undefined, members: Uint32Array | undefined): number {
    const [stamps, stamp] = [this.#stamps, this.#nextStamp()]
    let count = 0
    for (const { devices, users } of rows) {
      for (let at = 0; at < devices.length; at++) {
        const device = devices[at]!
        let visitor = byDevice ? 0 : users[at]!
        if (visitor === 0) visitor = byDevice || device >= persons.length ? device : persons[device]! || device
        if (stamps[visitor] === stamp) continue
        stamps[visitor] = stamp
        if (known && has(known, visitor)) continue
        if (members) members[visitor >>> 5]! |= 1 << (visitor & 31)
        count++
      }
    }
    return count
  }

  #makeRoom(highest: number): void {
    if (highest >= this.#stamps.length) this.#stamps = new Uint32Array(Math.ceil((highest + 1) * ROOM))
  }

  #nextStamp(): number {
    if (this.#stamp === 0xffff_ffff) this.#stamps.fill(this.#stamp = 0)
    return ++this.#stamp
  }
}

function has(members: Uint32Array, visitor: number): boolean {
  const word = visitor >>> 5
  return word < members.length && (members[word]! & (1 << (visitor & 31))) !== 0
}

/** The person of each device by number: its first user; 0, and nothing behind the last, for a device that is its own. */
function personsOf(firstUsers: readonly FirstUsers[]): Uint32Array {
  const highest = firstUsers.reduce((most, { users }) => users.reduce((of, [device]) => Math.max(of, device), most), -1)
  const persons = new Uint32Array(highest + 1)
  for (const { users } of firstUsers) for (const [device, user] of users) persons[device] = user
  return persons
}

function bytesOf(groups: Groups): number {
  return [...groups.values()].reduce((sum, { members }) => sum + GROUP_BYTES + (members?.byteLength ?? 0), 0)
}

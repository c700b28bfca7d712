import { HopperError, type ChunkSummary } from '@hopper/contracts'
import type { Chunk, ValueColumn } from '../chunk/chunk.ts'
import { idAt } from '../chunk/ids.ts'
import { columnsToRead, keyColumn } from '../filter/key-column.ts'
import { unlimitedBudget, type Budget } from '../scan/budget.ts'
import { DeviceCursor, type Span } from '../scan/device-cursor.ts'
import { identityOf } from '../scan/identities.ts'
import type { People } from './people.ts'
import { PersonsPlan, type ListedPerson, type PersonsRequest } from './persons-plan.ts'

/** Maximum number of users with events in the range: each may have devices in every lane, so all are held. */
const USERS_HELD_MAX = 1_000_000

/** The events of a person so far. */
interface Held {
  devices: number
  first_seen: number
  last_seen: number
  events: number
  /** true if the search has found the person */
  found: boolean
}

interface Prepared {
  readonly chunk: Chunk
  readonly times: Float64Array
  readonly users: ValueColumn | undefined
  readonly bots: ValueColumn | undefined
}

export interface PersonsPage {
  readonly persons: readonly ListedPerson[]
  /** true if more persons follow */
  readonly more: boolean
}

/**
 * Lists the persons that have events in a range. Devices that were never identified are complete once they are visited,
 * so only those that may be on the page are kept; users are held until all lanes are scanned.
 */
export class PersonsScan {
  readonly plan: PersonsPlan
  readonly #people: People
  readonly #found: ReadonlySet<string>
  readonly #budget: Budget
  readonly #users = new Map<string, Held>()
  readonly #best: BestPersons

  /** `found` has the users whose traits match the search. */
  constructor(
    request: PersonsRequest,
    people: People,
    found: ReadonlySet<string> = new Set(),
    budget = unlimitedBudget,
  ) {
    this.plan = new PersonsPlan(request)
    this.#people = people
    this.#found = found
    this.#budget = budget
    this.#best = new BestPersons(this.plan)
  }

  /** Lists the columns of a chunk that the scan reads. */
  columns({ columns }: ChunkSummary): string[] {
    const user = Object.hasOwn(columns, 'user') ? ['user'] : []
    return [...new Set(['runs', 'timestamp', 'device_id', ...user, ...columnsToRead(columns, 'bot')])]
  }

  scanLane(spans: readonly Span[]): void {
    const cursor = new DeviceCursor(spans, (chunk): Prepared => {
      this.#budget.check()
      return { chunk, times: chunk.times(), users: chunk.values('user'), bots: keyColumn(chunk, 'bot') }
    })
    while (cursor.next()) this.#addDevice(cursor)
  }

  /** @throws HopperError HOP_LIMIT if too many users have events in the range */
  #addDevice(cursor: DeviceCursor<Prepared>): void {
    const byUser = this.#eventsOf(cursor)
    if (byUser.size === 0) return
    const device = { key: cursor.key, rest: cursor.rest }
    const { identities } = this.#people
    const name = idAt(cursor.prepared[0]!.chunk.deviceIds(), cursor.run)
    const found = this.plan.needle === undefined || name.toLowerCase().includes(this.plan.needle)
    const entry = identityOf(identities, device.key, device.rest)
    const first = entry < 0 ? undefined : identities.users[identities.firstUser[entry]!]
    const anonymous = byUser.get(undefined)
    if (first !== undefined && anonymous) {
      byUser.delete(undefined)
      const existing = byUser.get(first)
      byUser.set(first, existing ? sumOf(existing, anonymous) : anonymous)
    }
    for (const [user, { events, first_seen, last_seen }] of byUser) {
      const part: Held = { devices: 1, events, first_seen, last_seen, found }
      if (user === undefined) this.#offer(undefined, `d:${name}`, device, part)
      else this.#hold(user, part)
    }
  }

  /** Sums the events of the device in the range, by the user in effect. */
  #eventsOf({ segments, prepared, begins, ends }: DeviceCursor<Prepared>): Map<string | undefined, Held> {
    const { from, to } = this.plan.request
    const byUser = new Map<string | undefined, Held>()
    for (let s = 0; s < segments; s++) {
      const { times, users, bots } = prepared[s]!
      for (let row = begins[s]!; row < ends[s]!; row++) {
        const time = times[row]!
        if (time < from || time >= to || (bots && bots.values[bots.codes[row]!] !== null)) continue
        const value = users ? users.values[users.codes[row]!]! : null
        const user = value === null ? undefined : String(value)
        const known = byUser.get(user)
        if (!known) byUser.set(user, { devices: 1, events: 1, first_seen: time, last_seen: time, found: false })
        else {
          known.events++
          if (time < known.first_seen) known.first_seen = time
          if (time > known.last_seen) known.last_seen = time
        }
      }
    }
    return byUser
  }

  #hold(user: string, part: Held): void {
    const known = this.#users.get(user)
    if (known) {
      add(known, part)
      known.devices++
      return
    }
    if (this.#users.size >= USERS_HELD_MAX)
      throw new HopperError(
        'HOP_LIMIT',
        `More than ${USERS_HELD_MAX.toLocaleString('en')} users have events in this range. Narrow the range.`,
      )
    this.#users.set(user, part)
  }

  #offer(user: string | undefined, id: string, device: ListedPerson['device'], { found, ...own }: Held): void {
    if (!found) return
    const person = { ...own, id, user, device }
    if (!this.plan.passes(person, this.#people)) return
    this.#best.offer({ ...person, value: this.plan.orderOf(person, this.#people) })
  }

  /** Returns the page; nothing can be scanned afterwards. */
  finish(): PersonsPage {
    const { needle } = this.plan
    for (const [user, held] of this.#users) {
      const found = held.found || this.#found.has(user) || user.toLowerCase().includes(needle!)
      this.#offer(user, `u:${user}`, undefined, { ...held, found })
    }
    return this.#best.page()
  }
}

function add(to: Held, from: Held): void {
  to.events += from.events
  to.first_seen = Math.min(to.first_seen, from.first_seen)
  to.last_seen = Math.max(to.last_seen, from.last_seen)
  to.found ||= from.found
}

function sumOf(a: Held, b: Held): Held {
  const sum = { ...a }
  add(sum, b)
  return sum
}

/** Keeps the first persons after a place, in the order of a plan, and one more. */
class BestPersons {
  readonly #plan: PersonsPlan
  #kept: ListedPerson[] = []
  /** anybody after this person is no longer on the page; undefined until the page is full */
  #bound: ListedPerson | undefined

  constructor(plan: PersonsPlan) {
    this.#plan = plan
  }

  offer(person: ListedPerson): void {
    const { after, limit } = this.#plan.request
    if (after && this.#plan.compare(person, after) <= 0) return
    if (this.#bound && this.#plan.compare(person, this.#bound) > 0) return
    this.#kept.push(person)
    if (this.#kept.length >= 2 * limit + 64) this.#cut()
  }

  page(): PersonsPage {
    this.#cut()
    const { limit } = this.#plan.request
    return { persons: this.#kept.slice(0, limit), more: this.#kept.length > limit }
  }

  #cut(): void {
    const wanted = this.#plan.request.limit + 1
    this.#kept = this.#kept.sort((a, b) => this.#plan.compare(a, b)).slice(0, wanted)
    if (this.#kept.length === wanted) this.#bound = this.#kept.at(-1)
  }
}

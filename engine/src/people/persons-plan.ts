import type { Filter, Value } from '@hopper/contracts'
import { isPersonKey, isPropertyKey, isTraitKey, PERSON_KEY, USER_KEY } from '../chunk/event-keys.ts'
import { AtomSet, holds, keysOfAtoms, type Atom, type Expression } from '../filter/compile-filters.ts'
import { invalid, parseFilters } from '../filter/parse-filters.ts'
import { compareValues } from '../funnel/funnel-answer.ts'
import type { DeviceKey, People } from './people.ts'

/** Orders of persons, besides their traits and computed properties. */
export const personOrders = ['last_seen', 'first_seen', 'events'] as const

/** Requests a page of the persons that have events in a range. */
export interface PersonsRequest {
  /** ms, inclusive */
  readonly from: number
  /** ms, exclusive */
  readonly to: number
  /** part of a user id, device id or trait, in any case */
  readonly search?: string
  readonly filters: readonly Filter[]
  /** one of `personOrders`, or the key of a trait or computed property */
  readonly order: string
  readonly descending: boolean
  /** the last person of the page before */
  readonly after?: PersonPlace
  readonly limit: number
}

/** The place of a person in a list: the value that orders the list, then the id of the person. */
export interface PersonPlace {
  readonly value: Value | null
  readonly id: string
}

/** A person of a list, with its events in the range. */
export interface ListedPerson extends PersonPlace {
  /** undefined for a device that was never identified */
  readonly user: string | undefined
  /** the only device of a person without a user */
  readonly device: DeviceKey | undefined
  readonly devices: number
  readonly first_seen: number
  readonly last_seen: number
  readonly events: number
}

/** Texts are ordered by their first characters only, so that a place fits into a URL. */
const ORDER_CHARS_MAX = 200

/** A compiled request for persons. */
export class PersonsPlan {
  readonly request: PersonsRequest
  readonly needle: string | undefined
  readonly #atoms: readonly Atom[]
  readonly #expression: Expression

  /** @throws HopperError HOP_PARAM_INVALID */
  constructor(request: PersonsRequest) {
    const { order } = request
    this.request = request
    this.needle = request.search?.toLowerCase()
    const atoms = new AtomSet()
    this.#atoms = atoms.atoms
    this.#expression = atoms.compile(parseFilters(request.filters, 'filter'))
    const other = keysOfAtoms(this.#atoms).find((key) => !isPersonKey(key))
    if (other !== undefined)
      throw invalid('filter', `cannot test ${other}; persons have person, user_id, trait.NAME and property.NAME`)
    if (!(personOrders as readonly string[]).includes(order) && !isTraitKey(order) && !isPropertyKey(order))
      throw invalid(
        'order',
        `must be ${personOrders.join(', ')}, trait.NAME or property.NAME, or one of them after a -`,
      )
  }

  /** the person keys that the request names */
  get keys(): readonly string[] {
    return [...new Set([...keysOfAtoms(this.#atoms), this.request.order].filter(isPersonKey))]
  }

  /** Returns whether a person passes the filters. */
  passes(person: Pick<ListedPerson, 'id' | 'user' | 'device'>, people: People): boolean {
    const truth = Uint8Array.from(this.#atoms, ({ key, test }) => Number(test(valueOf(person, key, people))))
    return holds(this.#expression, truth)
  }

  /** Returns the value that determines the place of a person. */
  orderOf(person: Omit<ListedPerson, 'value'>, people: People): Value | null {
    const { order } = this.request
    if (order === 'last_seen' || order === 'first_seen' || order === 'events') return person[order]
    const value = valueOf(person, order, people)
    return typeof value === 'string' ? value.slice(0, ORDER_CHARS_MAX) : value
  }

  /** Orders persons: by value, those without one last, and equal ones by id. */
  compare(a: PersonPlace, b: PersonPlace): number {
    if (a.value === null || b.value === null)
      return Number(a.value === null) - Number(b.value === null) || compareIds(a, b)
    const order = compareValues(a.value, b.value)
    return (this.request.descending ? -order : order) || compareIds(a, b)
  }
}

function compareIds(a: PersonPlace, b: PersonPlace): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

function valueOf(
  { id, user, device }: Pick<ListedPerson, 'id' | 'user' | 'device'>,
  key: string,
  people: People,
): Value | null {
  if (key === PERSON_KEY) return id
  if (key === USER_KEY) return user ?? null
  const values = people.values(key)
  if (!values) return null
  return user === undefined ? values.ofDevice(device!) : values.ofUser(user)
}

import { HopperError, type ChunkSummary, type Value } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import { dataReader } from '../chunk/chunk-rows.ts'
import { DATA_PREFIX, presentColumns, SPILLED, SPILLED_KEYS } from '../chunk/event-keys.ts'
import { columnsToRead } from '../filter/key-column.ts'
import { laterOf, orderColumns, placeReader, type PlacedValue } from './event-place.ts'
import type { PersonValues } from './people.ts'

/** Maximum memory of the values of a trait, or of all traits for a search, over all users. */
const TRAITS_BYTES_MAX = 128 * 1024 * 1024
/** Approximate memory of a value with its place, in addition to the characters of texts. */
const TRAIT_BYTES = 240

/** The last value of each trait: by the name of the trait, then by user. A trait is a key of an identify's `data`. */
export type TraitFacts = ReadonlyMap<string, ReadonlyMap<string, PlacedValue>>

/** Returns whether a chunk can have an identify with one of these traits, or any, according to its summary. */
export function mayHaveTraits({ columns, values }: ChunkSummary, names?: readonly string[]): boolean {
  if (!Object.hasOwn(columns, 'user') || values['type']?.includes('identify') === false) return false
  return names === undefined || names.some((name) => presentColumns(columns, DATA_PREFIX + name).length > 0)
}

/** Lists the columns of a chunk that contain its facts about these traits, or about all. */
export function traitColumns({ columns }: ChunkSummary, names?: readonly string[]): string[] {
  const all = (): string[] =>
    Object.keys(columns).filter((name) => name.startsWith(DATA_PREFIX) || name === SPILLED || name === SPILLED_KEYS)
  const read = names ? names.flatMap((name) => columnsToRead(columns, DATA_PREFIX + name)) : all()
  return [...new Set(['runs', 'user', 'type', ...orderColumns, ...read])]
}

/** Reads the facts of a chunk, or only of some of its runs. Needs `traitColumns`. */
export function traitFacts(chunk: Chunk, names?: readonly string[], runs?: readonly number[]): TraitFacts {
  const facts = new Map<string, Map<string, PlacedValue>>()
  const [types, users] = [chunk.values('type'), chunk.values('user')]
  if (!types || !users) return facts
  const identify = types.values.indexOf('identify')
  if (identify < 0) return facts
  const read = names ? namedReader(chunk, names) : dataReader(chunk)
  const placeOf = placeReader(chunk)
  const { starts } = chunk.runs()
  const readRows = (begin: number, end: number): void => {
    for (let row = begin; row < end; row++) {
      const user = types.codes[row] === identify ? users.values[users.codes[row]!]! : null
      if (user === null) continue
      for (const [name, value] of read(row)) put(facts, name, String(user), { value, place: placeOf(row) })
    }
  }
  if (runs) for (const run of runs) readRows(starts[run]!, starts[run + 1]!)
  else readRows(0, chunk.summary.rows)
  return facts
}

/** Lists the names of the traits that a chunk has. Needs `traitColumns`. */
export function traitNames(chunk: Chunk): string[] {
  const types = chunk.values('type')
  const identify = types?.values.indexOf('identify') ?? -1
  if (!types || identify < 0) return []
  const names = new Set<string>()
  const read = dataReader(chunk)
  for (let row = 0; row < chunk.summary.rows; row++)
    if (types.codes[row] === identify) for (const [name] of read(row)) names.add(name)
  return [...names]
}

function namedReader(chunk: Chunk, names: readonly string[]): (row: number) => [name: string, value: Value][] {
  const columns = names.flatMap((name) => {
    const column = chunk.values(DATA_PREFIX + name)
    return column ? [{ name, column }] : []
  })
  return (row) =>
    columns.flatMap(({ name, column }): [string, Value][] => {
      const value = column.values[column.codes[row]!]!
      return value === null ? [] : [[name, value]]
    })
}

function put(
  facts: Map<string, Map<string, PlacedValue>>,
  name: string,
  user: string,
  placed: PlacedValue,
): PlacedValue | undefined {
  let users = facts.get(name)
  if (!users) facts.set(name, (users = new Map<string, PlacedValue>()))
  const known = users.get(user)
  users.set(user, laterOf(known, placed)!)
  return known
}

/** Estimates the memory of facts in bytes. */
export function bytesOfTraits(facts: TraitFacts): number {
  let bytes = 200
  for (const users of facts.values()) for (const [user, { value }] of users) bytes += bytesOf(user, value)
  return bytes
}

function bytesOf(user: string, value: Value): number {
  return TRAIT_BYTES + user.length * 2 + (typeof value === 'string' ? value.length * 2 : 0)
}

/** The last values of traits over many chunks. */
export class Traits {
  readonly #facts = new Map<string, Map<string, PlacedValue>>()
  #bytes = 0

  /** @throws HopperError HOP_LIMIT if there are too many values to hold */
  add(facts: TraitFacts): void {
    for (const [name, users] of facts) {
      for (const [user, placed] of users) {
        if (!put(this.#facts, name, user, placed)) this.#bytes += bytesOf(user, placed.value)
      }
    }
    if (this.#bytes > TRAITS_BYTES_MAX)
      throw new HopperError(
        'HOP_LIMIT',
        `The values of these traits take more than ${TRAITS_BYTES_MAX / 1024 ** 2} MB. Ask for a trait with fewer ` +
          'or shorter values, or search by the ids of users and devices only.',
      )
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Returns the traits of a user, by name. */
  of(user: string): Record<string, Value> {
    const names = [...this.#facts.keys()].sort()
    return Object.fromEntries(
      names.flatMap((name): [string, Value][] => {
        const placed = this.#facts.get(name)!.get(user)
        return placed ? [[name, placed.value]] : []
      }),
    )
  }

  /** Returns the values of one trait. A device that was never identified has none. */
  valuesOf(name: string): PersonValues {
    const users = this.#facts.get(name)
    return { ofUser: (user) => users?.get(user)?.value ?? null, ofDevice: () => null }
  }

  /** Calls `each` for every value of every user. */
  forEach(each: (user: string, value: Value) => void): void {
    for (const users of this.#facts.values()) for (const [user, { value }] of users) each(user, value)
  }
}

import type { Client } from 'cassandra-driver'
import type { CounterTableName, Key, KeyValue } from '../../ports/table-definitions.ts'
import type { CounterPartitionRow } from '../../ports/tables.ts'
import { rowsOf, statement } from '../client/statements.ts'

/** Tables whose last key column is a text that senders choose, so that a row may be about a single person. */
export const removableTables = ['page_views_by_date', 'clicks_by_date'] as const satisfies CounterTableName[]
export type RemovableTable = (typeof removableTables)[number]

const MARK = '\0g'
const stored = /^(?<text>[^]*)\0g(?<generation>[1-9]\d{0,8})$/
const APPS_MAX = 20_000

/** Returns whether rows of a table may be about a single person and so have to be removable. */
export function isRemovable(table: CounterTableName): table is RemovableTable {
  return (removableTables as readonly CounterTableName[]).includes(table)
}

/** Returns the key under which a generation counts: from 1 on, its last text ends with a mark and the generation. */
export function storedKey(key: Key, generation: number): Key {
  return generation === 0 ? key : [...key.slice(0, -1), `${key.at(-1)}${MARK}${generation}`]
}

/** Returns the key without its mark, and its generation: the inverse of `storedKey`. */
export function parseStoredKey(key: Key): { readonly key: Key; readonly generation: number } {
  const last = key.at(-1) as KeyValue
  const found = typeof last === 'string' && last.includes(MARK) ? stored.exec(last)?.groups : undefined
  if (!found) return { key, generation: 0 }
  return { key: [...key.slice(0, -1), found['text']!], generation: Number(found['generation']) }
}

/** Returns the stored keys, by key, of the rows whose counters add up to zero over all generations. */
export function emptyKeys(rows: readonly CounterPartitionRow[]): Key[][] {
  const groups = Map.groupBy(rows, ({ key }) => JSON.stringify(parseStoredKey(key).key))
  const isEmpty = (group: readonly CounterPartitionRow[]): boolean =>
    group[0]!.counters.every((_, index) => group.reduce((sum, { counters }) => sum + counters[index]!, 0) === 0)
  return [...groups.values()].filter(isEmpty).map((group) => group.map(({ key }) => key))
}

/**
 * The generation of keys under which the owner of a lane counts each app. A counter of Cassandra must not be used again
 * after it was deleted: its value is undefined then, since replicas may bring back a part of the old one. So rows are
 * deleted only after the lane has begun to count under other keys; readers add up the rows of all generations.
 */
export class KeyGenerations {
  readonly #client: Client
  readonly #lane: number
  readonly #known = new Map<string, number>()
  #epoch: number | undefined

  constructor(client: Client, lane: number) {
    this.#client = client
    this.#lane = lane
  }

  /** Sets the epoch of this owner. Between two of its epochs, another owner may have begun new generations. */
  enter(epoch: number): void {
    if (this.#epoch !== epoch) this.#known.clear()
    this.#epoch = epoch
  }

  /** Returns the generation of an app; 0 if no rows of it were ever deleted. */
  async of(app: string): Promise<number> {
    const known = this.#known.get(app)
    if (known !== undefined) return known
    const [row] = await rowsOf(this.#client, 'key-generations.read', [app, this.#lane])
    const generation = (row?.get('generation') as number | undefined) ?? 0
    this.#remember(app, generation)
    return generation
  }

  /** Begins the next generation of an app: everything that is counted from now on has other keys. */
  async begin(app: string): Promise<void> {
    const generation = (await this.of(app)) + 1
    // Until the write is answered, either generation may be the stored one: neither may be used.
    this.#known.delete(app)
    await this.#client.execute(statement('key-generations.write'), [app, this.#lane, generation], {
      prepare: true,
      isIdempotent: true,
    })
    this.#remember(app, generation)
  }

  /** Evicts the oldest app if there are too many. */
  #remember(app: string, generation: number): void {
    this.#known.set(app, generation)
    if (this.#known.size > APPS_MAX) this.#known.delete(this.#known.keys().next().value!)
  }
}

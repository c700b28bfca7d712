import { pageOf, pageUrlOf, type Value } from '@hopper/contracts'
import type { Chunk, ValueColumn } from '../chunk/chunk.ts'
import type { Codes } from '../chunk/encoding/codes.ts'
import {
  columnsOfKey,
  isAddressColumn,
  isPageKey,
  isPersonKey,
  maySpill,
  numberColumns,
  presentColumns,
  SPILLED,
  SPILLED_KEYS,
  USER_KEY,
  type NumberColumn,
  type PageKey,
} from '../chunk/event-keys.ts'
import { idAt } from '../chunk/ids.ts'
import { Dictionary } from '../chunk/value-column.ts'
import { personColumn } from '../people/person-column.ts'
import { runCodesOf, type RunCodes } from '../chunk/encoding/run-codes.ts'

/** Returns the column of a query key; undefined when no event of the chunk has the key. */
export function keyColumn(chunk: Chunk, key: string): ValueColumn | undefined {
  if (isPageKey(key)) return pageColumn(chunk, key)
  if (key === USER_KEY) return userColumn(chunk)
  if (isPersonKey(key)) return personColumn(chunk, key)
  return storedColumn(chunk, key)
}

function storedColumn(chunk: Chunk, key: string): ValueColumn | undefined {
  return firstOfAll(columnsOfKey(key).flatMap((name) => readColumn(chunk, name) ?? []))
}

/** Returns the user that each event names; for the others, the user that the person is. */
function userColumn(chunk: Chunk): ValueColumn | undefined {
  if (chunk.people.identities.keys.length === 0) return storedColumn(chunk, USER_KEY)
  return chunk.ofPeople(USER_KEY, () => {
    const [named, person] = [storedColumn(chunk, USER_KEY), personColumn(chunk, USER_KEY)]
    const value = named ? firstOf(named, person) : person
    return { value, bytes: value.codes.byteLength + value.values.length * 40 }
  })
}

function firstOfAll(columns: readonly ValueColumn[]): ValueColumn | undefined {
  return columns.length === 0 ? undefined : columns.reduce((first, second) => firstOf(first, second))
}

/** Returns the page of each event with an address; for the other events, the value of this key of `data`. */
function pageColumn(chunk: Chunk, key: PageKey): ValueColumn | undefined {
  const [addresses, others] = partition(columnsOfKey(key), isAddressColumn)
  const urls = addresses.flatMap((name) => chunk.values(name) ?? [])
  const otherColumns = (): ValueColumn[] => others.flatMap((name) => readColumn(chunk, name) ?? [])
  if (urls.length === 0) return firstOfAll(otherColumns())
  return chunk.derived(key, ({ keep_parameters, hash_routing }) => {
    const nameOf = key === 'page' ? pageOf : pageUrlOf
    const page = (url: Value | null): string | null =>
      typeof url === 'string' && url !== '' ? nameOf(url, keep_parameters, hash_routing) : null
    return firstOfAll([...urls.map((column) => renameValues(column, page)), ...otherColumns()])!
  })
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))]
}

/** Maps the values of a column; equal results share one code. */
function renameValues({ codes, values }: ValueColumn, rename: (value: Value | null) => Value | null): ValueColumn {
  const dictionary = new Dictionary()
  const codeOf = Uint32Array.from(values, (value) => dictionary.code(rename(value)))
  const named = new Uint32Array(codes.length)
  for (let i = 0; i < named.length; i++) named[i] = codeOf[codes[i]!]!
  return { codes: named, values: dictionary.values }
}

/** Returns the code that the rows of each run share in the column of a key. */
export function keyRunCodes(chunk: Chunk, key: string, column: ValueColumn): RunCodes {
  const names = presentColumns(chunk.summary.columns, key)
  const stored = !isPageKey(key) && !isPersonKey(key) && names.length === 1 && chunk.valueColumns().includes(names[0]!)
  return stored ? chunk.runCodes(names[0]!)! : runCodesOf(column.codes, chunk.runs().starts)
}

/** Returns the columns of a chunk that must be fetched for a key. */
export function columnsToRead(columns: Readonly<Record<string, number>>, key: string): string[] {
  const names = presentColumns(columns, key)
  const selected = names.filter((name) => !maySpill(columns, name))
  if (selected.length < names.length) selected.push(SPILLED_KEYS, SPILLED)
  return selected.concat(
    key === 'device_id' || isPersonKey(key) ? ['runs'] : key === 'received_at' ? ['timestamp', 'runs'] : [],
  )
}

function readColumn(chunk: Chunk, name: string): ValueColumn | undefined {
  if (name === 'event_id') return idColumn(chunk)
  if (name === 'device_id') return deviceColumn(chunk)
  if ((numberColumns as readonly string[]).includes(name)) return numberColumn(chunk, name as NumberColumn)
  return chunk.values(name)
}

function numberColumn(chunk: Chunk, name: NumberColumn): ValueColumn {
  const dictionary = new Dictionary()
  return { codes: Uint32Array.from(chunk.numbers(name), (value) => dictionary.code(value)), values: dictionary.values }
}

function idColumn(chunk: Chunk): ValueColumn {
  const ids = chunk.eventIds()
  return {
    codes: Uint32Array.from({ length: ids.length }, (_, i) => i),
    values: Array.from({ length: ids.length }, (_, i) => idAt(ids, i)),
  }
}

function deviceColumn(chunk: Chunk): ValueColumn {
  const ids = chunk.deviceIds()
  const { starts } = chunk.runs()
  const codes = new Uint32Array(chunk.summary.rows)
  for (let run = 0; run < ids.length; run++) codes.fill(run, starts[run], starts[run + 1])
  return { codes, values: Array.from({ length: ids.length }, (_, i) => idAt(ids, i)) }
}

/** Coalesces two columns: the value of the first, or of the second where the first has none. */
function firstOf(a: ValueColumn, b: ValueColumn): ValueColumn {
  const dictionary = new Dictionary()
  const ofA = a.values.map((value) => (value === null ? -1 : dictionary.code(value)))
  const ofB = b.values.map((value: Value | null) => dictionary.code(value))
  const codes: Codes = new Uint32Array(a.codes.length)
  for (let i = 0; i < codes.length; i++) {
    const code = ofA[a.codes[i]!]!
    codes[i] = code >= 0 ? code : ofB[b.codes[i]!]!
  }
  return { codes, values: dictionary.values }
}

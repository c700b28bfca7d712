import { readFile, stat } from 'node:fs/promises'
import { eventFields, HopperError, isObject, nearName } from '@hopper/contracts'

/** Number of ms of one unit of the times in a file. */
const unitsMs = { s: 1_000, ms: 1, us: 0.001, ns: 0.000001 } as const
export type TimestampUnit = keyof typeof unitsMs

/** Which columns (or keys, or paths like `user.id`) of a file are which fields of an event. */
export interface Mapping {
  /** column by field */
  readonly fields: Readonly<Record<string, string>>
  /**
   * columns that become `data`: all that are not mapped otherwise (`*`), the listed ones, or one that contains an
   * object
   */
  readonly data?: '*' | readonly string[] | { readonly column: string }
  readonly timestampUnit: TimestampUnit
  /** of a CSV file */
  readonly delimiter: string
}

/** What a column may tell of the visitor; neither is stored. Rules of the app about robots are compared with it. */
export const visitorFields = ['user_agent', 'ip'] as const

/** Fields of events that a column may become. */
export const mappableFields: readonly string[] = [
  ...new Set([
    ...['type', 'event_id', 'timestamp', 'device_id', 'session_id', 'user_id', 'seq'],
    ...Object.values(eventFields).flatMap((fields) => Object.keys(fields)),
    ...visitorFields,
  ]),
].filter((name) => name !== 'data')

const names = [...mappableFields, 'data', 'timestamp_unit', 'delimiter']
const MAPPING_BYTES_MAX = 1_000_000

/** Returns the length of a unit in milliseconds. */
export function msOf(unit: TimestampUnit): number {
  return unitsMs[unit]
}

/** Returns the mapping of a CSV file whose columns are named by our fields. */
export function mappingOfHeader(columns: readonly string[]): Mapping {
  const fields = mappableFields.filter((name) => columns.includes(name))
  return {
    fields: Object.fromEntries(fields.map((name) => [name, name])),
    ...(columns.includes('data') && { data: { column: 'data' } }),
    timestampUnit: 'ms',
    delimiter: ',',
  }
}

/** @throws HopperError HOP_CONFIG that says what is wrong with the file */
export async function readMapping(path: string): Promise<Mapping> {
  const text = await readText(path).catch((cause: Error) => {
    throw new HopperError('HOP_CONFIG', `The mapping ${path} cannot be read: ${cause.message}.`, { cause })
  })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new HopperError('HOP_CONFIG', `The mapping ${path} is not JSON: ${(cause as Error).message}.`, { cause })
  }
  return parseMapping(value, path)
}

async function readText(path: string): Promise<string> {
  const { size } = await stat(path)
  if (size > MAPPING_BYTES_MAX) throw new Error(`it has ${size} bytes, more than ${MAPPING_BYTES_MAX}`)
  return readFile(path, 'utf8')
}

/** @throws HopperError HOP_CONFIG */
export function parseMapping(value: unknown, path: string): Mapping {
  const bad: string[] = []
  if (!isObject(value))
    throw new HopperError('HOP_CONFIG', `The mapping ${path} must be an object like {"timestamp": "ts"}.`)
  const { data, timestamp_unit: unit = 'ms', delimiter = ',', ...fields } = value
  for (const [name, column] of Object.entries(fields)) {
    if (!mappableFields.includes(name)) bad.push(unknownName(name))
    else if (typeof column !== 'string' || column === '') bad.push(`"${name}" must be the name of a column`)
  }
  if (!isUnit(unit)) bad.push(`"timestamp_unit" must be one of ${Object.keys(unitsMs).join(', ')}`)
  if (typeof delimiter !== 'string' || delimiter.length !== 1) bad.push('"delimiter" must be one character')
  if (data !== undefined && !isData(data)) bad.push('"data" must be "*", a list of columns, or the name of one')
  if (!('timestamp' in fields)) bad.push('"timestamp" is missing: events of a file need their time')
  if (bad.length > 0) throw new HopperError('HOP_CONFIG', `The mapping ${path} cannot be used: ${bad.join('; ')}.`)
  return {
    fields: fields as Record<string, string>,
    ...(data !== undefined && { data: typeof data === 'string' && data !== '*' ? { column: data } : (data as '*') }),
    timestampUnit: unit as TimestampUnit,
    delimiter: delimiter as string,
  }
}

function unknownName(name: string): string {
  const meant = nearName(name, names)
  return `"${name.slice(0, 100)}" is not a field of an event${meant === undefined ? '' : `; did you mean "${meant}"?`}`
}

function isUnit(unit: unknown): unit is TimestampUnit {
  return typeof unit === 'string' && Object.hasOwn(unitsMs, unit)
}

function isData(data: unknown): boolean {
  if (typeof data === 'string') return data !== ''
  return Array.isArray(data) && data.every((each) => typeof each === 'string' && each !== '')
}

/** @throws HopperError HOP_CONFIG that names the columns of the mapping that the file does not have */
export function assertColumns({ fields, data }: Mapping, columns: readonly string[]): void {
  const named = [
    ...Object.values(fields),
    ...(Array.isArray(data)
      ? (data as string[])
      : typeof data === 'object'
        ? [(data as { column: string }).column]
        : []),
  ]
  const missing = [...new Set(named)].filter((name) => !columns.includes(name))
  if (missing.length === 0) return
  const list = (these: readonly string[]): string =>
    these
      .slice(0, 20)
      .map((name) => `"${name.slice(0, 100)}"`)
      .join(', ')
  throw new HopperError(
    'HOP_CONFIG',
    `The file has no column ${list(missing)}, which the mapping names; its columns are ${list(columns)}.`,
  )
}

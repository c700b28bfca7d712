import { HopperError, sharedDefinitions, strictSchema, trimNames } from '@hopper/contracts'
import { Compile, type Validator } from 'typebox/schema'
import type { TObject, TSchema } from 'typebox'
import { assertBounded } from './bodies/assert-bounded.ts'
import { faultsOf, type Fault } from './faults.ts'

/** Number of faults in the message; `details` lists all. */
const FAULTS_SHOWN_MAX = 3

interface Checker {
  readonly schema: Record<string, unknown>
  readonly definitions: Readonly<Record<string, object>>
  readonly validator: Validator
}
const checkers = new WeakMap<TSchema, Checker>()

/**
 * Validates a body against a schema, and removes the spaces around its names. Objects must not have fields that the
 * schema does not name.
 * @throws HopperError HOP_PARAM_INVALID with every invalid field
 */
export function checkedBody(schema: TSchema, body: unknown): unknown {
  assertBounded(body)
  return check(schema, trimNames(schema, body), 'The body')
}

/**
 * Validates the parameters of a URL and converts those with a numeric schema to numbers.
 * @throws HopperError HOP_PARAM_INVALID with every invalid parameter
 */
export function checkedQuery(schema: TObject, query: Readonly<Record<string, unknown>>): unknown {
  const repeated = Object.entries(query).filter(([, value]) => Array.isArray(value))
  if (repeated.length > 0)
    throw invalidFields(repeated.map(([field]) => ({ field, message: 'is given more than once' })))
  const properties = schema.properties as Readonly<Record<string, { type?: string }>>
  const read = Object.entries(query).map(([name, text]) => [
    name,
    properties[name]?.type === 'integer' ? integerOf(text) : text,
  ])
  return check(schema, Object.fromEntries(read), 'The query')
}

/** Describes every fault of a value in plain words; empty if the value is valid. */
export function faultsIn(schema: TSchema, value: unknown): Fault[] {
  const checker = checkerOf(schema)
  if (checker.validator.Check(value)) return []
  const faults = faultsOf(checker.schema, checker.definitions, value)
  return faults.length > 0 ? faults : [{ field: '', message: 'does not have the documented shape' }]
}

/** Creates the error for invalid fields. */
export function invalidFields(faults: readonly Fault[], whole = 'The request'): HopperError {
  const shown = faults
    .slice(0, FAULTS_SHOWN_MAX)
    .map(({ field, message }) => `${field === '' ? whole : field} ${message}`)
  const more = faults.length > shown.length ? ` (and ${faults.length - shown.length} more, see details)` : ''
  const end = shown.at(-1)!.endsWith('?') && more === '' ? '' : '.'
  return new HopperError('HOP_PARAM_INVALID', `${shown.join('; ')}${more}${end}`, { details: { fields: faults } })
}

function check(schema: TSchema, value: unknown, whole: string): unknown {
  const faults = faultsIn(schema, value)
  if (faults.length > 0) throw invalidFields(faults, whole)
  return value
}

function checkerOf(schema: TSchema): Checker {
  let checker = checkers.get(schema)
  if (!checker) {
    const { schema: plain, definitions } = sharedDefinitions(strictSchema(schema), '#/$defs/')
    const validator = Compile({ ...plain, $defs: definitions } as never) as unknown as Validator
    checkers.set(schema, (checker = { schema: plain, definitions: definitions as Record<string, object>, validator }))
  }
  return checker
}

/** Converts digits to a number. Other text stays as it is and fails the numeric schema. */
function integerOf(text: unknown): unknown {
  return typeof text === 'string' && /^-?(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text
}

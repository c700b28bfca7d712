import { HopperError } from '@hopper/contracts'
import { Compile, type Validator } from 'typebox/compile'
import { Clone } from 'typebox/value'
import type { TSchema } from 'typebox'
import { assertBounded } from './bounded.ts'

const DETAILS_MAX = 20
const validators = new WeakMap<TSchema, Validator>()

/**
 * The value without the fields that the schema does not know.
 * @throws HopperError HOP_PARAM_INVALID with every field that is wrong
 */
export function checked(schema: TSchema, value: unknown): unknown {
  assertBounded(value)
  let validator = validators.get(schema)
  if (!validator) validators.set(schema, (validator = Compile(schema) as unknown as Validator))
  const clean = validator.Clean(Clone(value))
  if (validator.Check(clean)) return clean
  const fields = validator.Errors(clean).slice(0, DETAILS_MAX).map(({ instancePath, message }) => ({ field: instancePath, message }))
  throw new HopperError('HOP_PARAM_INVALID', undefined, { details: { fields } })
}

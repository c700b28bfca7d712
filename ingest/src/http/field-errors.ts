import { limits, rejectReasons, type EventType } from '@hopper/contracts'
import type { TLocalizedValidationError } from 'typebox/error'
import { Dropped } from '../batch/incoming.ts'

const FIELD_CHARS_MAX = 100

/** Explains in one sentence which field of an event is wrong and what it must be. */
export function explain(errors: readonly TLocalizedValidationError[], type: EventType): Dropped {
  const first = errors[0]
  if (!first) return new Dropped('invalid_field', rejectReasons.invalid_field)
  if (first.keyword === 'required') {
    const names = first.params.requiredProperties.map((name) => `"${name}"`).join(', ')
    return new Dropped('missing_field', `A ${type} event needs ${names}; add it.`)
  }
  const path = first.instancePath
  // The alternatives of a union are reported one by one, under the same path.
  const demands = new Set(
    errors.filter(({ instancePath, keyword }) => instancePath === path && keyword !== 'anyOf').map(demand),
  )
  return new Dropped(
    'invalid_field',
    `The field "${fieldName(path)}" of a ${type} event ${[...demands].join(', or ')}; correct it.`,
  )
}

function demand(error: TLocalizedValidationError): string {
  if (error.keyword === 'const') return `must be ${JSON.stringify(error.params.allowedValue)}`
  if (error.keyword === 'format') return 'must be a time like 2026-01-31T12:00:00Z'
  // `false` is the schema of keys that the pattern of `data` does not accept
  if (error.keyword === 'boolean') return `must have a name of 1 to ${limits.dataKeyCharsMax} characters`
  return error.message
}

function fieldName(path: string): string {
  return path.slice(1, FIELD_CHARS_MAX).replaceAll('/', '.')
}

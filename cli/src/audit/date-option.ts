import { isDate } from '@hopper/contracts'
import { InvalidArgumentError } from 'commander'

/** Parses a date of the command line. */
export function dateOption(text: string): string {
  if (!isDate(text)) throw new InvalidArgumentError('It must be a date like 2026-01-31.')
  return text
}

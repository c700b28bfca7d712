import { DATE_RULE, isDate } from '@hopper/contracts'
import { InvalidArgumentError } from 'commander'

/** Parses the date of an option. */
export function dateOption(text: string): string {
  if (!isDate(text)) throw new InvalidArgumentError(`It must be ${DATE_RULE}.`)
  return text
}

/** Returns a parser of whole numbers; both bounds are included. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN
    if (!(value >= minimum && value <= maximum))
      throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`)
    return value
  }
}

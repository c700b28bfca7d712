import { letterContent, letterFields, type FoundLetter } from '@hopper/storage'

/** The greatest instant that a `Date` can represent. */
const TIME_MS_MAX = 8.64e15

/** Formats a letter as one line for a person. Outside text is printed as JSON, so that it cannot control a terminal. */
export function describeLetter({ lane, position, reason, detail, app, received_at, value }: FoundLetter): string {
  const owner = app === undefined ? 'of no known app' : `app ${JSON.stringify(app)}`
  const received = timeOf(received_at) ?? 'at an unknown time'
  const text = JSON.stringify(detail)
  return `${lane}/${position} ${reason}, ${owner}, received ${received}, ${value.length} bytes: ${text}`
}

/** Formats a letter as JSON for a program. */
export function jsonOfLetter(letter: FoundLetter, withValue: boolean): object {
  return { ...letterFields(letter), ...(withValue ? letterContent(letter.value) : {}) }
}

function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined || Math.abs(ms) > TIME_MS_MAX ? undefined : new Date(ms).toISOString()
}

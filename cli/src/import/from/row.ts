import { withExactNumbers } from '@hopper/contracts'
import type { Dropped, OfflineEvent } from '@hopper/ingest'

/** One record of a file. */
export interface Row {
  /** counted from 1: of the line on which the record ends, or of the element of a list */
  readonly number: number
  /** the parsed record: an object, unless the file has something else there */
  readonly value: unknown
  /** size in the file, about */
  readonly bytes: number
  /** false when a text may contain half a surrogate pair, which only an escape can introduce */
  readonly isUnicode: boolean
  /** why the record cannot be read; `value` is undefined then */
  readonly flaw?: string
  /** the record as it is in the file, when it cannot be read */
  readonly raw?: Uint8Array
}

/** A longer record is not read: a request could not contain it either. */
export const ROW_BYTES_MAX = 1_000_000

const halfPair = /\\u[dD][89a-fA-F]/

/** Parses a record of JSON. */
export function jsonRow(number: number, bytes: Uint8Array): Row {
  const text = decoded(bytes)
  if (text === undefined) return { ...flawedRow(number, bytes.length, 'is not UTF-8'), raw: bytes }
  try {
    return { number, value: JSON.parse(withExactNumbers(text)), bytes: bytes.length, isUnicode: !halfPair.test(text) }
  } catch (error) {
    const why = (error as Error).message.slice(0, 100)
    return { ...flawedRow(number, bytes.length, `is not JSON (${why})`), raw: bytes }
  }
}

/** Returns the row of a record that cannot be read; `flaw` says why. */
export function flawedRow(number: number, bytes: number, flaw: string): Row {
  return { number, value: undefined, bytes, isUnicode: true, flaw }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** Reads the rows of a file, and makes events of them. */
export interface Format {
  rows(content: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Row[]>
  /** translates the value of a row, an object */
  translate(value: Readonly<Record<string, unknown>>): OfflineEvent | Dropped
}

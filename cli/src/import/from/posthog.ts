import { withExactNumbers } from '@hopper/contracts'
import { posthogEvent, type Dropped, type OfflineEvent } from '@hopper/ingest'
import { typedValue } from './mapped-event.ts'
import { readCsv } from './read-csv.ts'
import { readJson } from './read-json.ts'
import type { Format } from './row.ts'

type Fields = Readonly<Record<string, unknown>>

const PREFIX = 'properties.'

/** Returns the format of an export of PostHog's events: CSV, lines of JSON, a list, or a page of its API. */
export function posthogFormat(path: string): Format {
  const isCsv = /\.csv(\.gz)?$/i.test(path)
  return {
    rows: (content) => (isCsv ? readCsv(content, ',', () => undefined) : readJson(content)),
    translate: (row) => translate(isCsv ? withProperties(row) : row),
  }
}

/** Exports have the properties as an object, or as a text of JSON. */
function translate(row: Fields): OfflineEvent | Dropped {
  const { properties } = row
  return posthogEvent(typeof properties === 'string' ? { ...row, properties: parsed(properties) } : row)
}

/** Some exports have a column for each property, `properties.$browser`. */
function withProperties(row: Fields): Fields {
  const properties = Object.entries(row).filter(([name]) => name.startsWith(PREFIX))
  if (properties.length === 0) return row
  return {
    ...row,
    properties: Object.fromEntries(properties.map(([name, value]) => [name.slice(PREFIX.length), typedValue(value)])),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(withExactNumbers(text))
  } catch {
    return undefined
  }
}

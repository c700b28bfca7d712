import type { OfflineEvent } from '@hopper/ingest'
import { HopperError } from '@hopper/contracts'
import { mappedEvent } from './mapped-event.ts'
import { assertColumns, mappingOfHeader, type Mapping } from './mapping.ts'
import { mixpanelEvent } from './mixpanel.ts'
import { readCsv } from './read-csv.ts'
import { readJsonList } from './read-json-list.ts'
import { readNdjson } from './read-ndjson.ts'
import type { Row } from './row.ts'

export const formatNames = ['mixpanel', 'csv', 'ndjson'] as const
export type FormatName = (typeof formatNames)[number]

/** Reads the rows of a file, and makes events of them. */
export interface Format {
  rows(content: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Row[]>
  /** translates the value of a row, an object */
  translate(value: Readonly<Record<string, unknown>>): OfflineEvent
}

/** Returns the format of a file. @throws HopperError HOP_CONFIG for a mapping that it does not take */
export function formatOf(name: FormatName, mapping?: Mapping): Format {
  if (name === 'csv') return csvFormat(mapping)
  if (name === 'ndjson') return ndjsonFormat(mapping)
  if (mapping !== undefined)
    throw new HopperError('HOP_CONFIG', `A mapping is for csv and ndjson; the fields of ${name} are known.`)
  return { rows: readJson, translate: mixpanelEvent }
}

function csvFormat(given: Mapping | undefined): Format {
  let mapping = given
  return {
    rows: (content) =>
      readCsv(content, given?.delimiter ?? ',', (columns) => {
        mapping = given ?? mappingOfHeader(columns)
        assertColumns(given ?? { ...mapping, fields: { ...mapping.fields, timestamp: 'timestamp' } }, columns)
      }),
    translate: (row) => ({ event: mappedEvent(row, mapping!, true) }),
  }
}

/** Without a mapping the lines are events as `POST /v1/events` takes them. */
function ndjsonFormat(mapping: Mapping | undefined): Format {
  return {
    rows: readJson,
    translate: (row) => ({ event: mapping === undefined ? asSent(row) : mappedEvent(row, mapping, false) }),
  }
}

/** An event with a name and no type is a custom one. */
function asSent(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return row['type'] === undefined && row['name'] !== undefined ? { ...row, type: 'custom' } : { ...row }
}

const OPEN_LIST = 0x5b
const blanks: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])

/** Reads lines of JSON, or a list: some products write the one, some the other, under the same name. */
export async function* readJson(content: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Row[]> {
  const parts = content[Symbol.asyncIterator]()
  for (let first = await parts.next(); !first.done; first = await parts.next()) {
    const begin = first.value.find((byte) => !blanks.has(byte))
    if (begin === undefined) continue
    return yield* (begin === OPEN_LIST ? readJsonList : readNdjson)(chained(first.value, parts))
  }
}

async function* chained(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first
    for (let part = await rest.next(); !part.done; part = await rest.next()) yield part.value
  } finally {
    await rest.return?.()
  }
}

import { HopperError } from '@hopper/contracts'
import { segmentEvent } from '@hopper/ingest'
import { mappedRow } from './mapped-event.ts'
import { assertColumns, mappingOfHeader, type Mapping } from './mapping.ts'
import { mixpanelEvent } from './mixpanel.ts'
import { posthogFormat } from './posthog.ts'
import { readCsv } from './read-csv.ts'
import { readJson } from './read-json.ts'
import type { Format } from './row.ts'

export const formatNames = ['segment', 'posthog', 'mixpanel', 'csv', 'ndjson'] as const
export type FormatName = (typeof formatNames)[number]

/**
 * Returns the format of the file with this path.
 * @throws HopperError HOP_CONFIG for a mapping that it does not take
 */
export function formatOf(name: FormatName, path: string, mapping?: Mapping): Format {
  if (name === 'csv') return csvFormat(mapping)
  if (name === 'ndjson') return ndjsonFormat(mapping)
  if (mapping !== undefined)
    throw new HopperError('HOP_CONFIG', `A mapping is for csv and ndjson; the fields of ${name} are known.`)
  if (name === 'posthog') return posthogFormat(path)
  return { rows: readJson, translate: name === 'segment' ? segmentEvent : mixpanelEvent }
}

function csvFormat(given: Mapping | undefined): Format {
  let mapping = given
  return {
    rows: (content) =>
      readCsv(content, given?.delimiter ?? ',', (columns) => {
        mapping = given ?? mappingOfHeader(columns)
        assertColumns(given ?? { ...mapping, fields: { ...mapping.fields, timestamp: 'timestamp' } }, columns)
      }),
    translate: (row) => mappedRow(row, mapping!, true),
  }
}

/** Without a mapping the lines are events as `POST /v1/events` takes them. */
function ndjsonFormat(mapping: Mapping | undefined): Format {
  return {
    rows: readJson,
    translate: (row) => (mapping === undefined ? { event: asSent(row) } : mappedRow(row, mapping, false)),
  }
}

/** An event with a name and no type is a custom one. */
function asSent(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return row['type'] === undefined && row['name'] !== undefined ? { ...row, type: 'custom' } : { ...row }
}

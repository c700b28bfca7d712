import { Readable } from 'node:stream'
import { HopperError } from '@hopper/contracts'
import { CsvError, parse, type Info } from 'csv-parse'
import { flawedRow, ROW_BYTES_MAX, type Row } from './row.ts'

const ROWS_PER_PART = 500

/**
 * Yields the records of a CSV file (RFC 4180, with a header) as objects of texts by column, in parts. Empty cells are
 * left out. `checkHeader` may refuse the columns before anything else is read.
 * @throws HopperError HOP_CONFIG for a file with unbalanced quotes: the cells after them cannot be separated
 */
export async function* readCsv(
  content: AsyncIterable<Uint8Array>,
  delimiter: string,
  checkHeader: (columns: readonly string[]) => void,
): AsyncGenerator<readonly Row[]> {
  const options = { delimiter, bom: true, info: true, relax_column_count: true, skip_empty_lines: true }
  const parser = parse({ ...options, relax_quotes: true, max_record_size: ROW_BYTES_MAX })
  const source = Readable.from(content)
  source.on('error', (error) => parser.destroy(error)).pipe(parser)
  let columns: readonly string[] | undefined
  let rows: Row[] = []
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      if (columns === undefined) checkHeader((columns = headerOf(record)))
      else rows.push(rowOf(columns, record, info.lines))
      if (rows.length < ROWS_PER_PART) continue
      yield rows
      rows = []
    }
  } catch (error) {
    if (rows.length > 0) yield rows
    throw error instanceof CsvError ? broken(error) : error
  } finally {
    source.destroy()
  }
  if (rows.length > 0) yield rows
}

function headerOf(record: readonly string[]): readonly string[] {
  const columns = record.map((name) => name.trim())
  const twice = columns.find((name, index) => name !== '' && columns.indexOf(name) !== index)
  if (twice !== undefined) throw new HopperError('HOP_CONFIG', `The CSV file has two columns "${twice.slice(0, 100)}".`)
  return columns
}

function rowOf(columns: readonly string[], record: readonly string[], number: number): Row {
  const bytes = record.reduce((sum, cell) => sum + cell.length + 1, 0)
  if (record.length !== columns.length) {
    const flaw = `has ${record.length} cells, its header has ${columns.length}`
    return { ...flawedRow(number, bytes, flaw), raw: Buffer.from(JSON.stringify(record)) }
  }
  const value: Record<string, string> = {}
  for (const [index, name] of columns.entries()) if (record[index] !== '') value[name] = record[index]!
  return { number, value, bytes, isUnicode: true }
}

function broken(cause: CsvError): HopperError {
  const why = cause.message.slice(0, 200)
  return new HopperError(
    'HOP_CONFIG',
    `The CSV file cannot be read to its end: ${why}. What comes before is imported; ` +
      'correct the file and import it again: no event counts twice.',
    { cause },
  )
}

import { flawedRow, jsonRow, ROW_BYTES_MAX, type Row } from './row.ts'

const LINE_FEED = 10

/** Yields the lines of a file as rows, in parts. Empty lines are skipped; memory is bounded by one long line. */
export async function* readNdjson(content: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Row[]> {
  let number = 0
  for await (const lines of linesOf(content)) {
    const rows: Row[] = []
    for (const line of lines) {
      number++
      if (line === undefined) rows.push(flawedRow(number, ROW_BYTES_MAX, `has more than ${ROW_BYTES_MAX} bytes`))
      else if (!isBlank(line)) rows.push(jsonRow(number, line))
    }
    if (rows.length > 0) yield rows
  }
}

/** Yields lines, in parts; undefined for one that is too long to be read. */
export async function* linesOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<(Uint8Array | undefined)[]> {
  let held: Uint8Array[] = []
  let bytes = 0
  const hold = (piece: Uint8Array): void => {
    bytes += piece.length
    // A row that is too long is only counted.
    if (bytes > ROW_BYTES_MAX) held = []
    else if (piece.length > 0) held.push(piece)
  }
  const take = (): Uint8Array | undefined => {
    const line = bytes > ROW_BYTES_MAX ? undefined : held.length === 1 ? held[0]! : Buffer.concat(held, bytes)
    held = []
    bytes = 0
    return line
  }
  for await (const part of content) {
    const lines: (Uint8Array | undefined)[] = []
    let from = 0
    for (let index = part.indexOf(LINE_FEED); index >= 0; index = part.indexOf(LINE_FEED, from)) {
      hold(part.subarray(from, index))
      lines.push(take())
      from = index + 1
    }
    hold(part.subarray(from))
    if (lines.length > 0) yield lines
  }
  if (bytes > 0) yield [take()]
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}

const RANGE_BYTES = 1_000_000
const [LINE_FEED, QUOTE] = [0x0a, 0x22]

/**
 * Part of the content of a file: whole records; the beginning of a record that is too long (`long`), or the remainder
 * of one (`rest`); or a last record without a line feed (`tail`), whose writer may not have finished.
 */
export interface Range {
  readonly kind: 'records' | 'long' | 'rest' | 'tail'
  readonly bytes: Buffer
}

/**
 * Cuts content into ranges of about 1 MB. `first` is the length of the first one, or 0. In CSV (`isQuoted`) a record
 * may have several lines: it ends at a line feed after an even number of quotes.
 */
export async function* cutRanges(
  content: AsyncIterable<Uint8Array>,
  isQuoted: boolean,
  first: number,
): AsyncGenerator<Range> {
  let held: Buffer = Buffer.alloc(0)
  let isLong = false
  for await (const part of content) {
    held = held.length === 0 ? Buffer.from(part) : Buffer.concat([held, part])
    if (first > 0) {
      if (held.length < first) continue
      yield { kind: 'records', bytes: held.subarray(0, first) }
      held = held.subarray(first)
      first = 0
    }
    if (isLong) {
      const end = held.indexOf(LINE_FEED) + 1
      yield { kind: 'rest', bytes: held.subarray(0, end || held.length) }
      held = held.subarray(end || held.length)
      isLong = end === 0
    }
    if (held.length < RANGE_BYTES) continue
    const end = endOfRecords(held, isQuoted)
    yield { kind: end > 0 ? 'records' : 'long', bytes: held.subarray(0, end || held.length) }
    isLong = end === 0
    held = held.subarray(end || held.length)
  }
  const end = endOfRecords(held, isQuoted)
  if (end > 0) yield { kind: 'records', bytes: held.subarray(0, end) }
  if (end < held.length) yield { kind: 'tail', bytes: held.subarray(end) }
}

/** Returns where the last whole record ends; 0 when there is none. */
export function endOfRecords(bytes: Uint8Array, isQuoted: boolean): number {
  if (!isQuoted) return bytes.lastIndexOf(LINE_FEED) + 1
  let end = 0
  let isWithin = false
  for (let index = 0; index < bytes.length; index++) {
    if (bytes[index] === QUOTE) isWithin = !isWithin
    else if (bytes[index] === LINE_FEED && !isWithin) end = index + 1
  }
  return end
}

import { flawedRow, jsonRow, ROW_BYTES_MAX, type Row } from './row.ts'

const [QUOTE, BACKSLASH, COMMA, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [34, 92, 44, 91, 93, 123, 125]
/** space, tab, line feed, carriage return */
const blanks: ReadonlySet<number> = new Set([32, 9, 10, 13])

/**
 * Yields the elements of the first list in a JSON text, such as `[ … ]` or `{ "results": [ … ] }`, in parts and without
 * parsing the text as a whole.
 */
export async function* readJsonList(content: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Row[]> {
  const list = new ListScan()
  for await (const part of content) {
    const rows = list.scan(part)
    if (rows.length > 0) yield rows
  }
  const rows = list.end()
  if (rows.length > 0) yield rows
}

/** Cuts the elements out of the text: only strings and the depth of brackets matter for that. */
class ListScan {
  #state: 'before' | 'within' | 'after' = 'before'
  /** true when the text itself is the list, so that nothing may follow */
  #isRoot = true
  #depth = 0
  #inString = false
  #isEscaped = false
  #held: Uint8Array[] = []
  #bytes = 0
  #hasContent = false
  #number = 0
  #rows: Row[] = []

  scan(part: Uint8Array): readonly Row[] {
    this.#rows = []
    let from = 0
    for (let index = 0; index < part.length; index++) {
      const byte = part[index]!
      if (this.#inString) this.#scanString(byte)
      else if (byte === QUOTE) this.#inString = this.#hasContent = true
      else if (this.#state === 'before') {
        if (byte === OPEN_OBJECT) this.#isRoot = false
        if (byte !== OPEN_LIST) continue
        this.#state = 'within'
        this.#hasContent = false
        from = index + 1
      } else if (this.#state === 'within' && this.#endsElement(byte)) {
        this.#hold(part.subarray(from, index))
        this.#take()
        from = index + 1
        if (byte === CLOSE_LIST) this.#state = 'after'
      } else if (!blanks.has(byte)) this.#hasContent = true
    }
    if (this.#state === 'within') this.#hold(part.subarray(from))
    return this.#rows
  }

  /** Returns the rest of a list that is not closed. */
  end(): readonly Row[] {
    this.#rows = []
    if (this.#state === 'within') this.#take()
    const number = this.#number + 1
    if (this.#state === 'after' && this.#isRoot && this.#hasContent)
      this.#rows.push(flawedRow(number, 0, 'is behind the end of the list, and so is all that follows'))
    if (this.#state === 'before') this.#rows.push(flawedRow(number, 0, 'is missing: the file has no list'))
    else if (this.#state === 'within')
      this.#rows.push(flawedRow(number, 0, 'is missing: the file ends within its list'))
    return this.#rows
  }

  #scanString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false
    else if (byte === BACKSLASH) this.#isEscaped = true
    else if (byte === QUOTE) this.#inString = false
  }

  #endsElement(byte: number): boolean {
    if (byte === OPEN_LIST || byte === OPEN_OBJECT) this.#depth++
    else if (this.#depth > 0 && (byte === CLOSE_LIST || byte === CLOSE_OBJECT)) this.#depth--
    else return this.#depth === 0 && (byte === COMMA || byte === CLOSE_LIST)
    this.#hasContent = true
    return false
  }

  #hold(piece: Uint8Array): void {
    this.#bytes += piece.length
    if (this.#bytes > ROW_BYTES_MAX) this.#held = []
    else this.#held.push(piece)
  }

  #take(): void {
    const isLong = this.#bytes > ROW_BYTES_MAX
    if (isLong) this.#rows.push(flawedRow(++this.#number, ROW_BYTES_MAX, `has more than ${ROW_BYTES_MAX} bytes`))
    else if (this.#hasContent) this.#rows.push(jsonRow(++this.#number, Buffer.concat(this.#held, this.#bytes)))
    this.#held = []
    this.#bytes = 0
    this.#hasContent = false
  }
}

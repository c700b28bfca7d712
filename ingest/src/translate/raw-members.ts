const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c]
const OPEN_OBJECT = 0x7b
const openers: ReadonlySet<number> = new Set([OPEN_OBJECT, 0x5b])
const closers: ReadonlySet<number> = new Set([0x7d, 0x5d])
const spaces: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])

/**
 * Returns the JSON text of one member of each object of a list, byte for byte as it was sent, by the object's index;
 * objects without such a member are missing. The text is one object, or a list, and known to be JSON (RFC 8259). Of a
 * repeated member the last counts, as for `JSON.parse`. Linear in the text, whatever its depth.
 */
export function rawMembers(json: string, member: string): Map<number, string> {
  const level = json.trimStart().startsWith('[') ? 2 : 1
  const found = new Map<number, string>()
  let [index, depth, isKey, key, valueAt] = [0, 0, false, '', -1]
  const endValue = (end: number): void => {
    if (valueAt >= 0 && key === member) found.set(index, trimmed(json, valueAt, end))
    valueAt = -1
  }
  for (let offset = 0; offset < json.length; offset++) {
    const char = json.charCodeAt(offset)
    if (char === QUOTE) {
      const end = endOfText(json, offset)
      if (isKey) key = JSON.parse(json.slice(offset, end + 1)) as string
      isKey = false
      offset = end
    } else if (openers.has(char)) {
      depth++
      if (depth === level) isKey = char === OPEN_OBJECT
    } else if (closers.has(char)) {
      if (depth === level) endValue(offset)
      depth--
    } else if (char === COLON && depth === level) valueAt = offset + 1
    else if (char === COMMA && depth === level) {
      endValue(offset)
      isKey = true
    } else if (char === COMMA && depth === level - 1) index++
  }
  return found
}

/** Returns the index of the quote that ends a text. */
function endOfText(json: string, begin: number): number {
  let offset = begin + 1
  while (offset < json.length && json.charCodeAt(offset) !== QUOTE)
    offset += json.charCodeAt(offset) === BACKSLASH ? 2 : 1
  return offset
}

function trimmed(json: string, begin: number, end: number): string {
  let [from, to] = [begin, end]
  while (spaces.has(json.charCodeAt(from))) from++
  while (to > from && spaces.has(json.charCodeAt(to - 1))) to--
  return json.slice(from, to)
}

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
  for (let at = 0; at < json.length; at++) {
    const char = json.charCodeAt(at)
    if (char === QUOTE) {
      const end = endOfText(json, at)
      if (isKey) key = JSON.parse(json.slice(at, end + 1)) as string
      isKey = false
      at = end
    } else if (openers.has(char)) {
      depth++
      if (depth === level) isKey = char === OPEN_OBJECT
    } else if (closers.has(char)) {
      if (depth === level) endValue(at)
      depth--
    } else if (char === COLON && depth === level) valueAt = at + 1
    else if (char === COMMA && depth === level) {
      endValue(at)
      isKey = true
    } else if (char === COMMA && depth === level - 1) index++
  }
  return found
}

/** Returns the index of the quote that ends a text. */
function endOfText(json: string, begin: number): number {
  let at = begin + 1
  while (at < json.length && json.charCodeAt(at) !== QUOTE) at += json.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at
}

function trimmed(json: string, begin: number, end: number): string {
  let [from, to] = [begin, end]
  while (spaces.has(json.charCodeAt(from))) from++
  while (to > from && spaces.has(json.charCodeAt(to - 1))) to--
  return json.slice(from, to)
}

/** A whole number of 16 digits or more. Most texts have none, and are parsed as they are. */
const longNumber = /[[:,\s]-?[1-9]\d{15}/
/** The same, or the beginning of a string, so that digits in strings are skipped. */
const quoteOrLongNumber = /"|(?<![\d.eE+-])-?[1-9]\d{15,}(?![\d.eE])/g

/**
 * Quotes the whole numbers in a JSON text whose digits a double cannot hold, such as most ids of 19
 * digits: as numbers, different ones would become equal. Returns the same text if there are none. Linear in the text,
 * whatever its depth and however long its strings.
 */
export function withExactNumbers(json: string): string {
  if (!longNumber.test(json)) return json
  const parts: string[] = []
  let done = 0
  quoteOrLongNumber.lastIndex = 0
  for (let match = quoteOrLongNumber.exec(json); match; match = quoteOrLongNumber.exec(json)) {
    const [found] = match
    if (found === '"') quoteOrLongNumber.lastIndex = endOfString(json, match.index)
    else if (String(Number(found)) !== found) {
      parts.push(json.slice(done, match.index), `"${found}"`)
      done = match.index + found.length
    }
  }
  return parts.length === 0 ? json : parts.join('') + json.slice(done)
}

/** Index after the quote that ends the string which begins at an index; the text's length if none does. */
function endOfString(json: string, begin: number): number {
  for (let quote = json.indexOf('"', begin + 1); quote >= 0; quote = json.indexOf('"', quote + 1)) {
    let slashes = 0
    while (json[quote - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return quote + 1
  }
  return json.length
}

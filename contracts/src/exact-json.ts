/** A whole number of 16 digits or more. Most texts have none, and are parsed as they are. */
const longNumber = /[[:,\s]-?[1-9]\d{15}/
/** The same, and strings as wholes, so that digits in them do not match. */
const stringOrLongNumber = /"(?:[^"\\]|\\[\s\S])*"?|(?<![\d.eE+-])-?[1-9]\d{15,}(?![\d.eE])/g

/**
 * Makes texts of the whole numbers in a JSON text whose digits a double does not give back, such as most ids of 19
 * digits: as numbers, different ones would become equal. Returns the same text if there are none. Linear in the text,
 * whatever its depth.
 */
export function withExactNumbers(json: string): string {
  if (!longNumber.test(json)) return json
  return json.replace(stringOrLongNumber, (match) =>
    match.startsWith('"') || String(Number(match)) === match ? match : `"${match}"`,
  )
}

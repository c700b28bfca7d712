/** Truncates a text to a number of characters (code points, as JSON Schema counts them). */
export function truncateText(text: string, charsMax: number): string {
  // A text has at least as many UTF-16 units as characters.
  if (text.length <= charsMax) return text
  return [...text.slice(0, 2 * charsMax)].slice(0, charsMax).join('')
}

/** Returns whether a text has at most `charsMax` characters. */
export function isWithin(text: string, charsMax: number): boolean {
  return text.length <= charsMax || truncateText(text, charsMax).length === text.length
}

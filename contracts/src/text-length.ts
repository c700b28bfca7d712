/** Cuts a text to a number of characters (code points, as JSON Schema counts them). */
export function cutText(text: string, charsMax: number): string {
  // UTF-16 units are at least as many as characters.
  if (text.length <= charsMax) return text
  return [...text.slice(0, 2 * charsMax)].slice(0, charsMax).join('')
}

/** Whether a text has at most that many characters. */
export function isWithin(text: string, charsMax: number): boolean {
  return text.length <= charsMax || cutText(text, charsMax).length === text.length
}

/**
 * Returns the first characters of a text as a text of its own: V8 implements `slice` as a view, so that a cache with a
 * slice would keep the whole text in memory, which may be as large as a body.
 */
export function startOf(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : Buffer.from(text.slice(0, charsMax), 'utf16le').toString('utf16le')
}

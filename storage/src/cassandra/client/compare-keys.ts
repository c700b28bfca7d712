import type { Key } from '../../ports/table-definitions.ts'

/** Orders rows: numbers by value, texts by their UTF-8 bytes, as every database sorts them. */
export function compareKeys(a: Key, b: Key): number {
  for (let at = 0; at < a.length; at++) {
    const [x, y] = [a[at]!, b[at]!]
    const order =
      typeof x === 'number' && typeof y === 'number'
        ? x - y
        : Buffer.compare(Buffer.from(String(x)), Buffer.from(String(y)))
    if (order !== 0) return order
  }
  return 0
}

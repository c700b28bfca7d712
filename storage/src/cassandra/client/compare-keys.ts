import type { Key } from '../../ports/table-definitions.ts'

/** Orders rows: numbers by value, texts by their UTF-8 bytes, as every database sorts them. */
export function compareKeys(a: Key, b: Key): number {
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [a[index]!, b[index]!]
    const order =
      typeof x === 'number' && typeof y === 'number'
        ? x - y
        : Buffer.compare(Buffer.from(String(x)), Buffer.from(String(y)))
    if (order !== 0) return order
  }
  return 0
}

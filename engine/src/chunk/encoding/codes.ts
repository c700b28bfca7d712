/** A value's place in the dictionary of its column, row by row; as wide as the dictionary needs. */
export type Codes = Uint8Array | Uint16Array | Uint32Array

/**
 * Puts what a table has for the code of each row from `begin` up to `end` into `out`. A loop by itself is compiled into
 * the tightest code, for codes of any width.
 */
export function translate(out: Uint8Array, codes: Codes, table: Uint8Array, begin: number, end: number): void {
  for (let row = begin; row < end; row++) out[row] = table[codes[row]!]!
}

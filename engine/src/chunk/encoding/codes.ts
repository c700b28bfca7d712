/** Index of each row's value in the dictionary of its column; as wide as the dictionary needs. */
export type Codes = Uint8Array | Uint16Array | Uint32Array

/**
 * Sets `out` to the table entry of each row's code, for the rows from `begin` up to `end`. The loop is a function of
 * its own because it then compiles to the tightest code for codes of any width.
 */
export function translate(out: Uint8Array, codes: Codes, table: Uint8Array, begin: number, end: number): void {
  for (let row = begin; row < end; row++) out[row] = table[codes[row]!]!
}

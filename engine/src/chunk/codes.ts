/** A value's place in the dictionary of its column, row by row; as wide as the dictionary needs. */
export type Codes = Uint8Array | Uint16Array | Uint32Array

const encoder = new TextEncoder()
const decoder = new TextDecoder()
/** a result that is smaller is kept as a value too, once somebody has asked for it */
const VALUE_BYTES_MAX = 65_536
/** how the JSON begins of a result of which something is left out or folded */
const CUT = encoder.encode('{"truncated":true,')

/**
 * The JSON of what a thread has found. That something is left out stands first, where `Result` finds it without reading
 * the rest.
 */
export function encodeResult(result: unknown): Uint8Array<ArrayBuffer> {
  if (typeof result !== 'object' || result === null || !('truncated' in result))
    return encoder.encode(JSON.stringify(result) ?? 'null')
  const { truncated, ...rest } = result
  return encoder.encode(JSON.stringify({ truncated, ...rest }))
}

/**
 * What a thread has found, as the JSON that it made of it, so that nothing large is turned into values and back on the
 * thread of HTTP.
 */
export class Result<T> {
  readonly json: Uint8Array
  /** whether something is left out or folded into `other`; `json` does not say so */
  readonly isCut: boolean
  #value: T | undefined

  /** Takes over the bytes that `encodeResult` has made. */
  constructor(json: Uint8Array) {
    this.isCut = CUT.every((byte, i) => json[i] === byte)
    this.json = this.isCut ? json.subarray(CUT.length - 1) : json
    if (this.isCut) this.json[0] = CUT[0]!
  }

  get isSmall(): boolean {
    return this.json.byteLength <= VALUE_BYTES_MAX
  }

  /** Reads the JSON: whoever expects something large should pass `json` on. */
  get value(): T {
    if (this.#value !== undefined) return this.#value
    const value = JSON.parse(decoder.decode(this.json)) as T
    if (this.isSmall) this.#value = value
    return value
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
/** maximum size of a result whose parsed value is cached too, once it was read */
const VALUE_BYTES_MAX = 65_536
/** start of the JSON of a truncated or folded result */
const CUT = encoder.encode('{"truncated":true,')

/**
 * Encodes the result of a thread as JSON. The flag `truncated` comes first, where `Result` finds it without parsing the
 * rest.
 */
export function encodeResult(result: unknown): Uint8Array<ArrayBuffer> {
  if (typeof result !== 'object' || result === null || !('truncated' in result))
    return encoder.encode(JSON.stringify(result) ?? 'null')
  const { truncated, ...rest } = result
  return encoder.encode(JSON.stringify({ truncated, ...rest }))
}

/** The result of a thread, kept as JSON, so that the HTTP thread does not parse and serialize large values. */
export class Result<T> {
  readonly json: Uint8Array
  /** true if something is truncated or folded into `other`; `json` does not include this flag */
  readonly isCut: boolean
  #value: T | undefined

  /** Takes ownership of the bytes from `encodeResult`. */
  constructor(json: Uint8Array) {
    this.isCut = CUT.every((byte, i) => json[i] === byte)
    this.json = this.isCut ? json.subarray(CUT.length - 1) : json
    if (this.isCut) this.json[0] = CUT[0]!
  }

  get isSmall(): boolean {
    return this.json.byteLength <= VALUE_BYTES_MAX
  }

  /** Parses the JSON; for large results pass `json` on instead. */
  get value(): T {
    if (this.#value !== undefined) return this.#value
    const value = JSON.parse(decoder.decode(this.json)) as T
    if (this.isSmall) this.#value = value
    return value
  }
}

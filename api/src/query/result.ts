const decoder = new TextDecoder()
/** a result that is smaller is kept as a value too, once somebody has asked for it */
const VALUE_BYTES_MAX = 65_536

/** What a thread has found, as the JSON that it made of it, so that nothing large is turned into values and back on the thread of HTTP. */
export class Result<T> {
  readonly json: Uint8Array
  #value: T | undefined

  constructor(json: Uint8Array) {
    this.json = json
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

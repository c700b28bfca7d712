import { hash } from 'node:crypto'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
/** maximum size of a result whose parsed value is cached too, once it was read */
const VALUE_BYTES_MAX = 65_536
/** start of the JSON of a result that leaves something out, or folds it into `other` */
const TRUNCATED = encoder.encode('{"truncated":true,')
const LINE_END = 0x0a

/** A result with a body that the HTTP thread sends as it is, without parsing it. */
export interface Headed<H> {
  readonly head: H
  /** JSON */
  readonly body: Uint8Array
}

/**
 * Encodes a list whose items are JSON, and a head for it, which gets the hash of the list. The bytes are an empty line,
 * the head in a line, and the list; no other result begins with a line end.
 */
export function encodeList(items: readonly string[], head: object): Uint8Array<ArrayBuffer> {
  const list = `[${items.join(',')}]`
  const digest = hash('sha256', list, 'base64url')
  return encoder.encode(`\n${JSON.stringify({ ...head, digest })}\n${list}`)
}

/**
 * Encodes the result of a thread as JSON, unless it is encoded already. The flag `truncated` comes first, where
 * `Result` finds it without parsing the rest.
 */
export function encodeResult(result: unknown): Uint8Array<ArrayBuffer> {
  if (result instanceof Uint8Array) return result as Uint8Array<ArrayBuffer>
  if (typeof result !== 'object' || result === null || !('truncated' in result))
    return encoder.encode(JSON.stringify(result) ?? 'null')
  const { truncated, ...rest } = result
  return encoder.encode(JSON.stringify({ truncated, ...rest }))
}

/** The result of a thread, kept as JSON, so that the HTTP thread does not parse and serialize large values. */
export class Result<T> {
  readonly json: Uint8Array
  /** true if something is truncated or folded into `other`; `json` does not include this flag */
  readonly isTruncated: boolean
  #value: T | undefined

  /** Takes ownership of the bytes from `encodeResult`. */
  constructor(json: Uint8Array) {
    this.isTruncated = TRUNCATED.every((byte, i) => json[i] === byte)
    this.json = this.isTruncated ? json.subarray(TRUNCATED.length - 1) : json
    if (this.isTruncated) this.json[0] = TRUNCATED[0]!
  }

  get isSmall(): boolean {
    return this.json.byteLength <= VALUE_BYTES_MAX
  }

  /** Parses the JSON, of a headed result its head only; for other large results pass `json` on instead. */
  get value(): T {
    if (this.#value !== undefined) return this.#value
    const value = this.json[0] === LINE_END ? headed(this.json) : (JSON.parse(decoder.decode(this.json)) as unknown)
    if (this.isSmall) this.#value = value as T
    return value as T
  }
}

function headed(bytes: Uint8Array): Headed<unknown> {
  const end = bytes.indexOf(LINE_END, 1)
  return { head: JSON.parse(decoder.decode(bytes.subarray(1, end))) as unknown, body: bytes.subarray(end + 1) }
}

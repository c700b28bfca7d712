import { hash } from 'node:crypto'
import type { Meta } from '@hopper/contracts'

const encoder = new TextEncoder()

/** A large answer that a query thread encoded as JSON: sent unchanged. */
export class EncodedAnswer {
  readonly #parts: readonly Uint8Array[]
  /** entity tag, if the thread has hashed the answer */
  readonly tag: string | undefined

  /** `parts` together are JSON; `digest` changes whenever they do. */
  constructor(parts: readonly (Uint8Array | string)[], digest?: string) {
    this.#parts = parts.map((part) => (typeof part === 'string' ? encoder.encode(part) : part))
    this.tag = digest === undefined ? undefined : `W/"${digest}"`
  }

  /** Adds `meta` as the last field. `fields` is the JSON of an object. */
  static withMeta(fields: Uint8Array, meta: Meta): EncodedAnswer {
    const isEmpty = fields.byteLength <= 2
    return new EncodedAnswer([fields.subarray(0, -1), `${isEmpty ? '' : ','}"meta":${JSON.stringify(meta)}}`])
  }

  /** Builds an answer with a list that the thread has hashed, other fields, and `meta`. */
  static ofList(name: string, list: Uint8Array, digest: string, fields: object, meta: Meta): EncodedAnswer {
    const rest = JSON.stringify({ ...fields, meta })
    // `complete_to` advances with the clock while the rest of the answer stays the same
    const stable = JSON.stringify([digest, fields, { ...meta, complete_to: null }])
    return new EncodedAnswer([`{"${name}":`, list, `,${rest.slice(1)}`], hash('sha256', stable, 'hex').slice(0, 32))
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

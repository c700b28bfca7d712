import type { Meta } from '@hopper/contracts'

const encoder = new TextEncoder()

/** A large answer that a query thread encoded as JSON: sent unchanged, with `meta` as its last field. */
export class EncodedAnswer {
  readonly #fields: Uint8Array
  readonly meta: Meta

  /** `fields` is the JSON of an object. */
  constructor(fields: Uint8Array, meta: Meta) {
    this.#fields = fields
    this.meta = meta
  }

  toBuffer(): Buffer {
    const isEmpty = this.#fields.byteLength <= 2
    return Buffer.concat([
      this.#fields.subarray(0, -1),
      encoder.encode(`${isEmpty ? '' : ','}"meta":${JSON.stringify(this.meta)}}`),
    ])
  }
}

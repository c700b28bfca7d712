import type { Meta } from '@hopper/contracts'

const encoder = new TextEncoder()

/** A large answer whose JSON a query thread has made: it is sent as it is, with `meta` as its last field. */
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

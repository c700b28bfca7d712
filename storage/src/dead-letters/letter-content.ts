import { isUtf8 } from 'node:buffer'

/** The bytes of a message, as text if they are UTF-8. */
export function letterContent(value: Uint8Array): { readonly text: string } | { readonly base64: string } {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') }
}

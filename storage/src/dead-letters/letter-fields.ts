import { isUtf8 } from 'node:buffer'
import type { FoundLetter } from './find-letters.ts'

/** Fields of a dead letter that people and programs see, apart from the message itself. */
export interface LetterFields extends Pick<FoundLetter, 'lane' | 'position' | 'reason' | 'detail'> {
  readonly app: string | null
  readonly received_at: number | null
  readonly bytes: number
}

/** Returns the fields of a letter; `bytes` is the size of its message, and what is not known is null. */
export function letterFields({ lane, position, reason, detail, app, received_at, value }: FoundLetter): LetterFields {
  return { lane, position, reason, detail, app: app ?? null, received_at: received_at ?? null, bytes: value.length }
}

/** Returns the bytes of a message, as text if they are UTF-8. */
export function letterContent(value: Uint8Array): { readonly text: string } | { readonly base64: string } {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') }
}

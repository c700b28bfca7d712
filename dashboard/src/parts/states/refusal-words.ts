import type { Refusal, RefusalCode } from '@hopper/contracts'

/** Why requests were refused. */
export const refusalReasons: Record<RefusalCode, string> = {
  HOP_KEY_MISSING: 'no key',
  HOP_KEY_UNKNOWN: 'unknown key',
  HOP_KEY_POWER: 'the key cannot send events',
  HOP_ORIGIN: 'origin not allowed',
  HOP_RATE: 'too many at once',
  HOP_QUOTA: 'the app has received its quota',
  HOP_BODY_INVALID: 'body cannot be read',
  HOP_BODY_TOO_LARGE: 'body too large',
  HOP_BODY_TYPE: 'not JSON',
}

/** Describes what is known of a key that is not valid. */
export function keyEnd(hint: NonNullable<Refusal['key_hint']>): string {
  return `ends in ${hint}`
}

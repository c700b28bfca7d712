import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { keyPrefixes, type KeyScope, type KeyRecord } from '@hopper/contracts'

/** Returns 256 random bits as text that is safe in URLs and cookies. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Returns the SHA-256 in hex that is stored instead of a key or token. */
export function secretHash(secret: string): string {
  return hash('sha256', secret)
}

/** Compares two texts in constant time, so that timing does not reveal where they differ. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))
}

/** Creates a random key with the prefix of its scope, such as `hr_`. */
export function newKey(power: KeyScope): string {
  return keyPrefixes[power] + newSecret()
}

/** Builds the record of a key; admin keys have no `app`. */
export function keyRecord(
  key: string,
  power: KeyScope,
  organization: string,
  app: string | undefined,
  now: number,
  name?: string,
): KeyRecord {
  return {
    hash: secretHash(key),
    power,
    organization,
    ...(app === undefined ? {} : { app }),
    created_at: now,
    hint: key.slice(-4),
    ...(name === undefined ? {} : { name }),
    ...(power === 'write' ? { text: key } : {}),
  }
}

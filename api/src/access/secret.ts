import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { keyPrefixes, type KeyScope, type KeyRecord } from '@hopper/contracts'

/** 256 random bits as text that fits a URL and a cookie. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** What is stored in place of a key or token: its SHA-256 in hex. */
export function secretHash(secret: string): string {
  return hash('sha256', secret)
}

/** Whether two texts are equal, in a time that does not tell where they differ. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))
}

export function newKey(power: KeyScope): string {
  return keyPrefixes[power] + newSecret()
}

/** The record of a key; `app` stays away for admin keys. */
export function keyRecord(
  key: string,
  power: KeyScope,
  organization: string,
  app: string | undefined,
  now: number,
): KeyRecord {
  return {
    hash: secretHash(key),
    power,
    organization,
    ...(app === undefined ? {} : { app }),
    created_at: now,
    hint: key.slice(-4),
  }
}

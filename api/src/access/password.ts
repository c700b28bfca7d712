import { randomBytes, timingSafeEqual } from 'node:crypto'
import { HopperError } from '@hopper/contracts'
import { PasswordThread } from './password-thread.ts'

const HASH_BYTES = 32
const WAITING_MAX = 32

const thread = new PasswordThread()

/** Returns `salt:hash` in base64url, the format of `Member.password`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  return `${salt.toString('base64url')}:${(await derive(password, salt)).toString('base64url')}`
}

/** Takes the same time with and without a stored password, so that timing does not reveal who is a member. */
export async function verifyPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [salt = '', hash = ''] = (stored ?? '').split(':')
  const expected = Buffer.from(hash, 'base64url')
  const actual = await derive(password, Buffer.from(salt, 'base64url'))
  return expected.length === HASH_BYTES && timingSafeEqual(actual, expected)
}

/**
 * Derives one hash at a time and bounds the queue: a flood of logins must not exhaust memory or delay all other work.
 */
async function derive(password: string, salt: Buffer): Promise<Buffer> {
  if (thread.pending >= WAITING_MAX)
    throw new HopperError('HOP_RATE', undefined, { details: { retry_after_seconds: 5 } })
  return thread.derive({ password: password.normalize('NFKC'), salt, bytes: HASH_BYTES })
}

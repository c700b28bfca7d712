import { randomBytes, timingSafeEqual } from 'node:crypto'
import { HopperError } from '@hopper/contracts'
import { PasswordThread } from './password-thread.ts'

const HASH_BYTES = 32
const WAITING_MAX = 32

const thread = new PasswordThread()

/** `salt:hash` in base64url, as `Member.password` stores it. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  return `${salt.toString('base64url')}:${(await derive(password, salt)).toString('base64url')}`
}

/** Takes the same time whether there is a stored password or not, so that nobody learns who is a member. */
export async function verifyPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [salt = '', hash = ''] = (stored ?? '').split(':')
  const expected = Buffer.from(hash, 'base64url')
  const actual = await derive(password, Buffer.from(salt, 'base64url'))
  return expected.length === HASH_BYTES && timingSafeEqual(actual, expected)
}

/**
 * One at a time, and a bounded number waiting: a flood of logins must take neither all memory nor the time of everybody
 * else.
 */
async function derive(password: string, salt: Buffer): Promise<Buffer> {
  if (thread.asked >= WAITING_MAX) throw new HopperError('HOP_RATE', undefined, { details: { retry_after_seconds: 5 } })
  return thread.derive({ password: password.normalize('NFKC'), salt, bytes: HASH_BYTES })
}

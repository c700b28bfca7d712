import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { HopperError } from '@hopper/contracts'

/** 32 MB and about a tenth of a second for each guess (OWASP's second choice of parameters for scrypt). */
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 }
const HASH_BYTES = 32
const RUNNING_MAX = 2
const WAITING_MAX = 32

let running = 0
const waiting: (() => void)[] = []

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

/** At most two at a time: a flood of logins must take neither all memory nor all threads of the pool. */
async function derive(password: string, salt: Buffer): Promise<Buffer> {
  if (running >= RUNNING_MAX) {
    if (waiting.length >= WAITING_MAX) throw new HopperError('HOP_RATE', undefined, { details: { retry_after_seconds: 5 } })
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else {
    running++
  }
  try {
    return await new Promise((resolve, reject) => {
      scrypt(password.normalize('NFKC'), salt, HASH_BYTES, COST, (error, key) => (error ? reject(error) : resolve(key)))
    })
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}

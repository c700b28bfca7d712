import type { Registry } from '@hopper/storage'
import { newSecret, secretHash } from '../access/secret.ts'

const VALID_MS = 86_400_000

/** Creates a URL that logs the member in once, within a day. Only the hash of its token is stored. */
export async function createLoginLink(of: {
  registry: Registry
  organization: string
  member: string
  publicUrl: string
  now?: number
}): Promise<string> {
  const { registry, organization, member, publicUrl, now = Date.now() } = of
  await removeExpiredLogins(registry, now)
  const token = newSecret()
  const hash = secretHash(token)
  await registry.logins.put('', hash, {
    hash,
    organization,
    member,
    kind: 'link',
    csrf: '',
    expires_at: now + VALID_MS,
  })
  const url = new URL('/login', publicUrl)
  url.searchParams.set('token', token)
  return url.href
}

/** Removes expired logins. */
export async function removeExpiredLogins(registry: Registry, now: number): Promise<void> {
  for (const { hash, expires_at } of await registry.logins.list(''))
    if (expires_at <= now) await registry.logins.remove('', hash)
}

import type { Registry } from '@hopper/storage'
import { loginsOf, removeExpiredLogins, removeLogin } from '../access/logins.ts'
import { newSecret, secretHash } from '../access/secret.ts'

const VALID_MS = 86_400_000

/**
 * Creates a URL that logs the member in once, within a day, and ends the earlier links of that member. Only the hash of
 * its token is stored.
 */
export async function createLoginLink(options: {
  registry: Registry
  organization: string
  member: string
  publicUrl: string
  now?: number
}): Promise<string> {
  const { registry, organization, member, publicUrl, now = Date.now() } = options
  await removeExpiredLogins(registry, now)
  const earlier = await loginsOf(registry, { organization, id: member })
  for (const { kind, hash } of earlier) if (kind === 'link') await removeLogin(registry, hash)
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

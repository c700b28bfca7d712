import type { Member } from '@hopper/contracts'
import type { Login, Registry } from '@hopper/storage'

/** Removes a login and its last use. Returns whether it existed: of two concurrent requests, only one gets true. */
export async function removeLogin(registry: Registry, hash: string): Promise<boolean> {
  await registry.loginUses.remove('', hash)
  return registry.logins.remove('', hash)
}

/** Lists the logins of a member, links and sessions. */
export async function loginsOf(
  registry: Registry,
  { organization, id }: Pick<Member, 'organization' | 'id'>,
): Promise<Login[]> {
  const logins = await registry.logins.list('')
  return logins.filter((login) => login.organization === organization && login.member === id)
}

/** Removes expired logins. */
export async function removeExpiredLogins(registry: Registry, now: number): Promise<void> {
  for (const { hash, expires_at } of await registry.logins.list(''))
    if (expires_at <= now) await removeLogin(registry, hash)
}

/** Ends the logins of a member, links and sessions, except one. */
export async function endLogins(
  registry: Registry,
  member: Pick<Member, 'organization' | 'id'>,
  except?: string,
): Promise<void> {
  for (const { hash } of await loginsOf(registry, member)) if (hash !== except) await removeLogin(registry, hash)
}

import type { Member } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { provision, type CreatedKey } from './provision.ts'

export interface FirstStart {
  readonly organization: string
  readonly app: string
  readonly owner: Member
  readonly created: CreatedKey[]
}

/**
 * Fills an empty registry with an organization, an app and an owner; undefined when there is an organization already.
 */
export async function firstStart(
  registry: Registry,
  timezone = Intl.DateTimeFormat().resolvedOptions().timeZone,
): Promise<FirstStart | undefined> {
  if ((await registry.organizations.list('')).length > 0) return undefined
  const app = { id: 'my-site', name: 'My site', timezone }
  const { created } = await provision(registry, {
    organizations: [{ id: 'my-organization', name: 'My organization', apps: [app] }],
  })
  return {
    organization: 'my-organization',
    app: app.id,
    owner: await ensureOwner(registry, 'my-organization'),
    created,
  }
}

/** The first owner of an organization; one is made when it has none, so that there is someone to log in. */
export async function ensureOwner(registry: Registry, organization: string): Promise<Member> {
  const owner = (await registry.members.list(organization)).find(({ role }) => role === 'owner')
  if (owner) return owner
  const taken = new Set((await registry.members.list()).map(({ id }) => id))
  const id = taken.has('owner') ? `owner-${organization}`.slice(0, 64) : 'owner'
  const member: Member = { id, organization, name: 'Owner', role: 'owner' }
  await registry.members.put(organization, id, member)
  return member
}

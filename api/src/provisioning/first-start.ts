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
 * Creates an organization, an app and an owner in an empty registry; returns undefined if there is an organization
 * already.
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

/** Returns the first owner of an organization, creating one if there is none, so that somebody can log in. */
export async function ensureOwner(registry: Registry, organization: string): Promise<Member> {
  const owner = (await registry.members.list(organization)).find(({ role }) => role === 'owner')
  if (owner) return owner
  const taken = new Set((await registry.members.list()).map(({ id }) => id))
  const id = taken.has('owner') ? `owner-${organization}`.slice(0, 64) : 'owner'
  const member: Member = { id, organization, name: 'Owner', role: 'owner' }
  await registry.members.put(organization, id, member)
  return member
}

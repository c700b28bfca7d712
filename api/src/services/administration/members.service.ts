import { Inject, Injectable } from '@nestjs/common'
import { HopperError, type Member, type Role } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { roleOf, type Caller, type MemberCaller } from '../../access/caller.ts'
import { hashPassword, verifyPassword } from '../../access/password.ts'
import type { CreatedMember, MemberPatch, MemberView, NewMember, OwnPatch } from '../../answers/administration.ts'
import { createLoginLink } from '../../provisioning/login-link.ts'
import { CLOCK, PUBLIC_URL, REGISTRY, type Clock } from '../../tokens.ts'

const MEMBERS_MAX = 1_000

/**
 * Manages the members of the caller's organization. Admins manage admins and viewers; only an owner creates, changes or
 * removes owners.
 */
@Injectable()
export class MembersService {
  private readonly registry: Registry
  private readonly clock: Clock
  private readonly publicUrl: string

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(CLOCK) clock: Clock,
    @Inject(PUBLIC_URL) publicUrl: string,
  ) {
    this.registry = registry
    this.clock = clock
    this.publicUrl = publicUrl
  }

  async list({ organization }: Caller): Promise<MemberView[]> {
    return (await this.registry.members.list(organization)).map(viewOf)
  }

  /** Creates a member. Ids are unique in the installation, so that an id alone is enough to log in. */
  async create(caller: Caller, { id, name, role, password }: NewMember): Promise<CreatedMember> {
    const { organization } = caller
    checkMayGive(caller, role)
    const members = await this.registry.members.list()
    if (id === 'me' || members.some((member) => member.id === id)) throw new HopperError('HOP_CONFLICT')
    if (members.filter((member) => member.organization === organization).length >= MEMBERS_MAX) {
      throw new HopperError('HOP_LIMIT', undefined, { details: { members_max: MEMBERS_MAX } })
    }
    const member: Member = {
      id,
      organization,
      name,
      role,
      ...(password === undefined ? {} : { password: await hashPassword(password) }),
    }
    await this.registry.members.put(organization, id, member)
    return { ...viewOf(member), login_link: await this.linkOf(member) }
  }

  async change(caller: Caller, id: string, { name, role, password }: MemberPatch): Promise<MemberView> {
    const member = await this.reachable(caller, id)
    if (role !== undefined) {
      checkMayGive(caller, role)
      if (role !== 'owner') await this.checkNotLastOwner(member)
    }
    return this.save(member, { name, role, password })
  }

  async remove(caller: Caller, id: string): Promise<void> {
    const member = await this.reachable(caller, id)
    await this.checkNotLastOwner(member)
    await this.registry.members.remove(member.organization, id)
    await this.endLogins(member)
  }

  /** Creates a new login link, for a member who has lost the password. */
  async loginLink(caller: Caller, id: string): Promise<string> {
    return this.linkOf(await this.reachable(caller, id))
  }

  async changeOwn(caller: MemberCaller, { name, password, current_password: current }: OwnPatch): Promise<MemberView> {
    const member = (await this.registry.members.get(caller.organization, caller.member))!
    if (
      password !== undefined &&
      member.password !== undefined &&
      !(await verifyPassword(current ?? '', member.password))
    ) {
      throw new HopperError('HOP_LOGIN_FAILED', 'The current password is wrong; correct current_password.')
    }
    return this.save(member, { name, password }, caller.login)
  }

  /** Stores a member. A new password ends the member's other logins. */
  private async save(
    member: Member,
    { name, role, password }: { name?: string | undefined; role?: Role | undefined; password?: string | undefined },
    keepLogin?: string,
  ): Promise<MemberView> {
    const changed: Member = {
      ...member,
      ...(name === undefined ? {} : { name }),
      ...(role === undefined ? {} : { role }),
      ...(password === undefined ? {} : { password: await hashPassword(password) }),
    }
    await this.registry.members.put(member.organization, member.id, changed)
    if (password !== undefined) await this.endLogins(member, keepLogin)
    return viewOf(changed)
  }

  private async reachable(caller: Caller, id: string): Promise<Member> {
    const member = await this.registry.members.get(caller.organization, id)
    if (!member)
      throw new HopperError('HOP_NOT_FOUND', 'No such member in this organization; GET /api/v1/members lists them.')
    checkMayGive(caller, member.role)
    return member
  }

  private async checkNotLastOwner(member: Member): Promise<void> {
    if (member.role !== 'owner') return
    const owners = (await this.registry.members.list(member.organization)).filter(({ role }) => role === 'owner')
    if (owners.length === 1)
      throw new HopperError(
        'HOP_CONFLICT',
        'An organization keeps at least one owner; make another member owner first.',
      )
  }

  private async endLogins(member: Member, except?: string): Promise<void> {
    for (const login of await this.registry.logins.list('')) {
      const theirs = login.organization === member.organization && login.member === member.id
      if (theirs && login.hash !== except) await this.registry.logins.remove('', login.hash)
    }
  }

  private linkOf({ organization, id }: Member): Promise<string> {
    return createLoginLink({
      registry: this.registry,
      organization,
      member: id,
      publicUrl: this.publicUrl,
      now: this.clock(),
    })
  }
}

function checkMayGive(caller: Caller, role: Role): void {
  if (role === 'owner' && roleOf(caller) !== 'owner') throw new HopperError('HOP_ROLE')
}

function viewOf({ id, name, role, password }: Member): MemberView {
  return { id, name, role, has_password: password !== undefined }
}

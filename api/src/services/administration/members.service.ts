import { Inject, Injectable } from '@nestjs/common'
import { HopperError, type Member, type Role } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { roleOf, type Caller, type MemberCaller } from '../../access/caller.ts'
import { endLogins } from '../../access/logins.ts'
import { hashPassword } from '../../access/password.ts'
import { SecondFactors } from '../../access/second-factors.ts'
import { SessionGuesses } from '../../access/session-guesses.ts'
import { weaknessOf } from '../../access/weak-password.ts'
import { invalidFields } from '../../http/checked.ts'
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
  private readonly factors: SecondFactors
  private readonly guesses: SessionGuesses

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(CLOCK) clock: Clock,
    @Inject(PUBLIC_URL) publicUrl: string,
    @Inject(SecondFactors) factors: SecondFactors,
    @Inject(SessionGuesses) guesses: SessionGuesses,
  ) {
    this.registry = registry
    this.clock = clock
    this.publicUrl = publicUrl
    this.factors = factors
    this.guesses = guesses
  }

  async list({ organization }: Caller): Promise<MemberView[]> {
    const withFactor = await this.factors.membersWith(organization)
    return (await this.registry.members.list(organization)).map((member) => viewOf(member, withFactor.has(member.id)))
  }

  /** Creates a member. Ids are unique in the organization: another one's members are none of its business. */
  async create(caller: Caller, { id, name, role, password }: NewMember): Promise<CreatedMember> {
    const { organization } = caller
    checkMayGive(caller, role)
    const members = await this.registry.members.list(organization)
    if (id === 'me' || members.some((member) => member.id === id)) throw new HopperError('HOP_CONFLICT')
    if (members.length >= MEMBERS_MAX) {
      throw new HopperError('HOP_LIMIT', undefined, { details: { members_max: MEMBERS_MAX } })
    }
    if (password !== undefined) checkPassword(password, { id, name, organization })
    const member: Member = {
      id,
      organization,
      name,
      role,
      ...(password === undefined ? {} : { password: await hashPassword(password) }),
    }
    await this.registry.members.put(organization, id, member)
    return { ...viewOf(member, false), login_link: await this.linkOf(member) }
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
    await this.factors.remove(member)
    await endLogins(this.registry, member)
  }

  /** Creates a new login link, for a member who has lost the password. */
  async loginLink(caller: Caller, id: string): Promise<string> {
    return this.linkOf(await this.reachable(caller, id))
  }

  /** Removes the second factor of a member who has lost it. */
  async resetSecondFactor(caller: Caller, id: string): Promise<void> {
    if (!(await this.factors.remove(await this.reachable(caller, id))))
      throw new HopperError('HOP_NOT_FOUND', 'This member has no second factor.')
  }

  async changeOwn(caller: MemberCaller, { name, password, current_password: current }: OwnPatch): Promise<MemberView> {
    const member = (await this.registry.members.get(caller.organization, caller.member))!
    if (password !== undefined) await this.guesses.checkPassword(caller, member.password, current)
    return this.save(member, { name, password }, caller.login)
  }

  /** Stores a member. A new password ends the member's other logins. */
  private async save(
    member: Member,
    { name, role, password }: { name?: string | undefined; role?: Role | undefined; password?: string | undefined },
    keepLogin?: string,
  ): Promise<MemberView> {
    if (password !== undefined) checkPassword(password, member)
    const changed: Member = {
      ...member,
      ...(name === undefined ? {} : { name }),
      ...(role === undefined ? {} : { role }),
      ...(password === undefined ? {} : { password: await hashPassword(password) }),
    }
    await this.registry.members.put(member.organization, member.id, changed)
    if (password !== undefined) await endLogins(this.registry, member, keepLogin)
    return viewOf(changed, await this.factors.isOn(changed))
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

function checkPassword(
  password: string,
  { id, name, organization }: Pick<Member, 'id' | 'name' | 'organization'>,
): void {
  const weakness = weaknessOf(password, [id, name, organization])
  if (weakness !== undefined)
    throw invalidFields([{ field: 'password', message: `${weakness}; choose one that nobody would try` }])
}

function checkMayGive(caller: Caller, role: Role): void {
  if (role === 'owner' && roleOf(caller) !== 'owner') throw new HopperError('HOP_ROLE')
}

function viewOf({ id, name, role, password }: Member, second_factor: boolean): MemberView {
  return { id, name, role, has_password: password !== undefined, second_factor }
}

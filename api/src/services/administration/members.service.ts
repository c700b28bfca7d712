import { Inject, Injectable } from '@nestjs/common'
import { HopperError, type Member, type Role } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { roleOf, type Caller, type MemberCaller } from '../../access/caller.ts'
import { endLogins } from '../../access/logins.ts'
import { comparableEmail } from '../../access/email.ts'
import { hashPassword } from '../../access/password.ts'
import { ProviderLinks } from '../../access/provider/provider-links.ts'
import { SecondFactors } from '../../access/second-factors.ts'
import { SessionGuesses } from '../../access/session-guesses.ts'
import { weaknessOf } from '../../access/weak-password.ts'
import { invalidFields } from '../../http/checked.ts'
import type { CreatedMember, MemberPatch, MemberView, NewMember, OwnPatch } from '../../answers/administration.ts'
import { createLoginLink } from '../../provisioning/login-link.ts'
import { CLOCK, PUBLIC_URL, REGISTRY, type Clock } from '../../tokens.ts'

const MEMBERS_MAX = 1_000

interface Changes {
  readonly name?: string | undefined
  readonly role?: Role | undefined
  readonly password?: string | undefined
  /** null removes it */
  readonly email?: string | null | undefined
}

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
  private readonly links: ProviderLinks

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(CLOCK) clock: Clock,
    @Inject(PUBLIC_URL) publicUrl: string,
    @Inject(SecondFactors) factors: SecondFactors,
    @Inject(SessionGuesses) guesses: SessionGuesses,
    @Inject(ProviderLinks) links: ProviderLinks,
  ) {
    this.registry = registry
    this.clock = clock
    this.publicUrl = publicUrl
    this.factors = factors
    this.guesses = guesses
    this.links = links
  }

  async list({ organization }: Caller): Promise<MemberView[]> {
    const members = await this.registry.members.list(organization)
    const [withFactor, linked] = await Promise.all([
      this.factors.membersWith(organization),
      this.links.linked(members, organization),
    ])
    return members.map((member) =>
      viewOf(member, { hasFactor: withFactor.has(member.id), isLinked: linked.has(member.id) }),
    )
  }

  /** Creates a member. Ids are unique in the organization only, so that it learns nothing of others' members. */
  async create(caller: Caller, { id, name, role, password, email }: NewMember): Promise<CreatedMember> {
    const { organization } = caller
    checkMayGive(caller, role)
    const members = await this.registry.members.list(organization)
    if (id === 'me' || members.some((member) => member.id === id)) throw new HopperError('HOP_CONFLICT')
    if (members.length >= MEMBERS_MAX) {
      throw new HopperError('HOP_LIMIT', undefined, { details: { members_max: MEMBERS_MAX } })
    }
    if (password !== undefined) checkPassword(password, { id, name, organization })
    if (email !== undefined) checkEmailIsFree(email, members)
    const member: Member = {
      id,
      organization,
      name,
      role,
      ...(password === undefined ? {} : { password: await hashPassword(password) }),
      ...(email === undefined ? {} : { email: comparableEmail(email)! }),
    }
    await this.registry.members.put(organization, id, member)
    const view = viewOf(member, { hasFactor: false, isLinked: false })
    return { ...view, login_link: await this.linkOf(member) }
  }

  async change(caller: Caller, id: string, { name, role, password, email }: MemberPatch): Promise<MemberView> {
    const member = await this.reachable(caller, id)
    if (role !== undefined) {
      checkMayGive(caller, role)
      if (role !== 'owner') await this.checkNotLastOwner(member)
    }
    if (typeof email === 'string') checkEmailIsFree(email, await this.othersOf(member))
    const view = await this.save(member, { name, role, password, email })
    const isOther = email !== undefined && comparableEmail(email) !== member.email
    if (!isOther || !(await this.links.remove(member))) return view
    // a person with the old address must not stay logged in
    await endLogins(this.registry, member, caller.kind === 'member' ? caller.login : undefined)
    return view
  }

  async remove(caller: Caller, id: string): Promise<void> {
    const member = await this.reachable(caller, id)
    await this.checkNotLastOwner(member)
    await this.registry.members.remove(member.organization, id)
    await this.factors.remove(member)
    await this.links.remove(member)
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
    { name, role, password, email }: Changes,
    keepLogin?: string,
  ): Promise<MemberView> {
    if (password !== undefined) checkPassword(password, member)
    const { email: old, ...rest } = member
    const address = email === undefined ? old : comparableEmail(email)
    const changed: Member = {
      ...rest,
      ...(address === undefined ? {} : { email: address }),
      ...(name === undefined ? {} : { name }),
      ...(role === undefined ? {} : { role }),
      ...(password === undefined ? {} : { password: await hashPassword(password) }),
    }
    await this.registry.members.put(member.organization, member.id, changed)
    if (password !== undefined) await endLogins(this.registry, member, keepLogin)
    const [hasFactor, link] = await Promise.all([this.factors.isOn(changed), this.links.of(changed)])
    return viewOf(changed, { hasFactor, isLinked: link !== undefined })
  }

  private async othersOf({ organization, id }: Member): Promise<Member[]> {
    return (await this.registry.members.list(organization)).filter((member) => member.id !== id)
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

/** An e-mail address belongs to one member, since it decides who logs in at the provider. */
function checkEmailIsFree(email: string, others: readonly Member[]): void {
  const address = comparableEmail(email)
  if (others.some((member) => member.email === address))
    throw new HopperError('HOP_CONFLICT', 'Another member of this organization has this e-mail address.')
}

function viewOf(
  { id, name, role, password, email }: Member,
  { hasFactor, isLinked }: { hasFactor: boolean; isLinked: boolean },
): MemberView {
  return {
    id,
    name,
    role,
    has_password: password !== undefined,
    second_factor: hasFactor,
    ...(email === undefined ? {} : { email }),
    provider_linked: isLinked,
  }
}

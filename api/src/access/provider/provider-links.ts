import type { Member, ProviderLink } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { Inject, Injectable } from '@nestjs/common'
import { CLOCK, REGISTRY, type Clock } from '../../tokens.ts'
import type { ProviderAccount } from './oidc-provider.ts'
import { providerRefusal } from './provider-refusal.ts'
import { secretHash } from '../secret.ts'

/** Longer than writing a link takes. */
const CLAIM_MS = 10_000

/**
 * Which account at the OpenID provider is which member. An admin names the e-mail address of a member; the first
 * account with that verified address is bound to the member, and from then on only this account logs in: an address
 * may be given to somebody else at the provider, an account may not.
 */
@Injectable()
export class ProviderLinks {
  private readonly registry: Registry
  private readonly clock: Clock

  constructor(@Inject(REGISTRY) registry: Registry, @Inject(CLOCK) clock: Clock) {
    this.registry = registry
    this.clock = clock
  }

  /** Returns the account of a member; undefined if none is bound to the address that the member has now. */
  async of(member: Member): Promise<ProviderLink | undefined> {
    if (member.email === undefined) return undefined
    const link = await this.registry.providerLinks.get(member.organization, member.id)
    return link && isOf(link, member) ? link : undefined
  }

  /** Lists the members of an organization to whom an account is bound. */
  async linked(members: readonly Member[], organization: string): Promise<ReadonlySet<string>> {
    const links = new Map((await this.registry.providerLinks.list(organization)).map((link) => [link.member, link]))
    const bound = members.filter((member) => {
      const link = links.get(member.id)
      return link !== undefined && isOf(link, member)
    })
    return new Set(bound.map(({ id }) => id))
  }

  /** Returns whether there was one. */
  async remove({ organization, id }: Pick<Member, 'organization' | 'id'>): Promise<boolean> {
    return this.registry.providerLinks.remove(organization, id)
  }

  /**
   * Finds the members that an account may log in as: at most one in each organization, and only in the named one if
   * there is a name.
   * @throws HopperError of `providerRefusal` if there is none
   */
  async membersOf(account: ProviderAccount, organization: string | undefined): Promise<Member[]> {
    const [members, links] = await Promise.all([
      this.registry.members.list(organization),
      this.registry.providerLinks.list(organization),
    ])
    const withEmail = members.filter(({ email }) => email !== undefined)
    const byOrganization = Map.groupBy(withEmail, (member) => member.organization)
    const found: Member[] = []
    let isTaken = false
    for (const own of byOrganization.values()) {
      const subjectOf = (member: Member): string | undefined =>
        links.find((link) => link.issuer === account.issuer && isOf(link, member))?.subject
      const bound = own.find((member) => subjectOf(member) === account.subject)
      const called = own.filter(({ email }) => email === account.email)
      const member = bound ?? (called.length === 1 ? called[0] : undefined)
      if (!member) continue
      if (bound || subjectOf(member) === undefined) found.push(member)
      else isTaken = true
    }
    if (found.length > 0) return found
    throw providerRefusal(isTaken ? 'linked' : account.email === undefined ? 'unverified' : 'unknown')
  }

  /**
   * Binds an account to a member, unless it is. Of two accounts that come at the same moment, at any process, one is
   * bound.
   * @throws HopperError of `providerRefusal` if another one is bound
   */
  async bind(member: Member, { issuer, subject }: Pick<ProviderAccount, 'issuer' | 'subject'>): Promise<void> {
    const { organization, id, email } = member
    if (email === undefined) throw providerRefusal('unknown')
    const known = await this.of(member)
    if (known?.issuer === issuer && known.subject === subject) return
    const { claims, providerLinks } = this.registry
    const [name, holder] = [`provider link ${JSON.stringify([organization, id])}`, secretHash(`${issuer} ${subject}`)]
    if (!(await claims.claim(name, holder, CLAIM_MS))) throw providerRefusal('linked')
    const bound = await this.of(member)
    if (bound?.issuer === issuer && bound.subject !== subject) throw providerRefusal('linked')
    const link: ProviderLink = { member: id, organization, issuer, subject, email, linked_at: this.clock() }
    await providerLinks.put(organization, id, link)
    await claims.release(name, holder)
  }
}

function isOf(link: ProviderLink, member: Member): boolean {
  return link.member === member.id && link.organization === member.organization && link.email === member.email
}

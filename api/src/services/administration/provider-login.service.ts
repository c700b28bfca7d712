import { Inject, Injectable } from '@nestjs/common'
import { HopperError, type Organization } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { LoginAttempts, type LoginAttempt } from '../../access/login-attempts.ts'
import { OidcProvider } from '../../access/provider/oidc-provider.ts'
import { ProviderLinks } from '../../access/provider/provider-links.ts'
import { providerRefusal } from '../../access/provider/provider-refusal.ts'
import { REGISTRY } from '../../tokens.ts'
import { LoginService, type NewLogin } from './login.service.ts'

/** Organizations of which a person is asked to choose one. */
const CHOICES_MAX = 20

/** A session, or the organizations of which the person must choose one first. */
export type ProviderLogin =
  | { readonly login: NewLogin; readonly idToken: string }
  | { readonly organizations: readonly Pick<Organization, 'id' | 'name'>[] }

/** Logs members in by the OpenID provider. */
@Injectable()
export class ProviderLoginService {
  private readonly registry: Registry
  private readonly provider: OidcProvider
  private readonly attempts: LoginAttempts
  private readonly links: ProviderLinks
  private readonly logins: LoginService

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(OidcProvider) provider: OidcProvider,
    @Inject(LoginAttempts) attempts: LoginAttempts,
    @Inject(ProviderLinks) links: ProviderLinks,
    @Inject(LoginService) logins: LoginService,
  ) {
    this.registry = registry
    this.provider = provider
    this.attempts = attempts
    this.links = links
    this.logins = logins
  }

  /** Name of the provider; undefined if there is none. */
  get name(): string | undefined {
    return this.provider.name
  }

  /** Begins a login: returns the address of the provider, and what the browser must keep meanwhile. */
  async begin(organization: string | undefined, address: string): Promise<{ attempt: LoginAttempt; url: string }> {
    this.checkIsOffered()
    this.logins.checkRate(address)
    const attempt = await this.attempts.begin(organization)
    return { attempt, url: await this.provider.authorizationUrl(attempt) }
  }

  /**
   * Finishes a login. Without the cookie of the browser that began it, neither a secret is compared nor the provider
   * called, so that no foreign page can use up the failures that an address may have.
   * @param query of the address to which the provider has led the browser
   */
  async finish(query: string, state: string, cookie: string | undefined, address: string): Promise<ProviderLogin> {
    this.checkIsOffered()
    this.logins.checkRate(address)
    if (cookie === undefined) throw providerRefusal('stale')
    return this.logins.atProvider(address, async () => {
      const attempt = await this.attempts.find(cookie, state)
      if (!attempt || !(await this.attempts.use(attempt))) throw providerRefusal('stale')
      const account = await this.provider.identify(query, attempt)
      const members = await this.links.membersOf(account, attempt.organization)
      if (members.length > 1)
        return { organizations: await this.named(members.map(({ organization }) => organization)) }
      await this.links.bind(members[0]!, account)
      return { login: await this.logins.begin(members[0]!), idToken: account.idToken }
    })
  }

  private checkIsOffered(): void {
    if (this.provider.name === undefined)
      throw new HopperError('HOP_NOT_FOUND', 'This Hopper has no OpenID provider; log in by password or login link.')
  }

  private async named(ids: readonly string[]): Promise<Pick<Organization, 'id' | 'name'>[]> {
    const found = ids.slice(0, CHOICES_MAX).map(async (id) => {
      const organization = await this.registry.organizations.get('', id)
      return { id, name: organization?.name ?? id }
    })
    return Promise.all(found)
  }
}

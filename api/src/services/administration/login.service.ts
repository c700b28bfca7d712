import { Inject, Injectable } from '@nestjs/common'
import { HopperError, type Me, type Member } from '@hopper/contracts'
import type { Login, Registry } from '@hopper/storage'
import { FailureCounter, GuessLimit } from '../../access/failure-counter.ts'
import type { MemberCaller } from '../../access/caller.ts'
import { loginsOf, removeExpiredLogins, removeLogin } from '../../access/logins.ts'
import { OidcProvider } from '../../access/provider/oidc-provider.ts'
import { verifyPassword } from '../../access/password.ts'
import { ProviderLinks } from '../../access/provider/provider-links.ts'
import { SecondFactors } from '../../access/second-factors.ts'
import { newSecret, secretHash } from '../../access/secret.ts'
import type { LoginBody, Session } from '../../answers/administration.ts'
import { invalidFields } from '../../http/checked.ts'
import { CLOCK, INGEST_URL, REGISTRY, type Clock } from '../../tokens.ts'

const COOKIE_MS = 30 * 86_400_000
const WINDOW_MS = 15 * 60_000
const WRONG_CODES_MAX = 20
/** Maximum members of one name, each of another organization; if there are more, a login must name its organization. */
const CANDIDATES_MAX = 4
const SESSION_ID_CHARS = 16

/** The secrets of a login, stored in cookies of the browser. */
export interface NewLogin {
  readonly token: string
  readonly csrf: string
  readonly maxAgeSeconds: number
  readonly me: Me
}

@Injectable()
export class LoginService {
  private readonly registry: Registry
  private readonly factors: SecondFactors
  private readonly provider: OidcProvider
  private readonly links: ProviderLinks
  private readonly clock: Clock
  private readonly ingestUrl: string | undefined
  private readonly guesses: GuessLimit
  /** by account: a sender of codes knows the password, so that nobody else can lock the member out */
  private readonly perFactor = new FailureCounter(WRONG_CODES_MAX, WINDOW_MS)

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(SecondFactors) factors: SecondFactors,
    @Inject(OidcProvider) provider: OidcProvider,
    @Inject(ProviderLinks) links: ProviderLinks,
    @Inject(CLOCK) clock: Clock,
    @Inject(INGEST_URL) ingestUrl: string | undefined,
  ) {
    this.registry = registry
    this.factors = factors
    this.provider = provider
    this.links = links
    this.ingestUrl = ingestUrl
    this.clock = clock
    this.guesses = new GuessLimit(clock)
  }

  async byPassword(body: LoginBody, address: string): Promise<NewLogin> {
    const name = body.member ?? body.name
    if (name === undefined) {
      throw invalidFields([{ field: 'name', message: 'is required, or `member`' }])
    }
    const account = JSON.stringify([body.organization ?? '', name])
    const member = await this.guesses.guard(account, address, async () => {
      const verified = await this.verified(await this.candidates(name, body.organization), body.password)
      await this.checkSecondFactor(verified, body.code)
      return verified
    })
    return this.begin(member)
  }

  /**
   * Logs in by link. A link works once: only the request that removes it succeeds. If the member has a second factor, a
   * request without a valid code does not use it up.
   */
  async byLink(token: string, code: string | undefined, address: string): Promise<NewLogin> {
    const hash = secretHash(token)
    const member = await this.guesses.guardSource(address, async () => {
      const link = await this.registry.logins.get('', hash)
      const isValid = link?.kind === 'link' && link.expires_at > this.clock()
      const found = isValid ? await this.registry.members.get(link.organization, link.member) : undefined
      if (found) await this.checkSecondFactor(found, code)
      if (!(await removeLogin(this.registry, hash)) || !found) throw new HopperError('HOP_LOGIN_FAILED')
      return found
    })
    return this.begin(member)
  }

  /**
   * Runs the check of a login at the OpenID provider, which throws when it fails: that counts like a wrong password.
   * @throws HopperError HOP_RATE after too many failures from one address
   */
  atProvider<T>(address: string, check: () => Promise<T>): Promise<T> {
    return this.guesses.guardSource(address, check)
  }

  /** @throws HopperError HOP_RATE for an address with too many failed logins */
  checkRate(address: string): void {
    this.guesses.checkSource(address)
  }

  async end(caller: MemberCaller): Promise<void> {
    await removeLogin(this.registry, caller.login)
  }

  /** Lists the sessions of the caller, the latest first. */
  async sessions(caller: MemberCaller): Promise<Session[]> {
    const uses = new Map((await this.registry.loginUses.list('')).map(({ hash, at }) => [hash, at]))
    const logins = (await this.sessionsOf(caller)).map(({ hash, created_at, expires_at }) => ({
      id: hash.slice(0, SESSION_ID_CHARS),
      ...(created_at === undefined ? {} : { created_at }),
      ...(uses.has(hash) ? { used_at: uses.get(hash)! } : {}),
      expires_at,
      current: hash === caller.login,
    }))
    return logins.sort((a, b) => b.expires_at - a.expires_at)
  }

  /** Ends a session of the caller, at once. */
  async endSession(caller: MemberCaller, id: string): Promise<void> {
    const session = (await this.sessionsOf(caller)).find(({ hash }) => hash.slice(0, SESSION_ID_CHARS) === id)
    if (!session || !(await removeLogin(this.registry, session.hash)))
      throw new HopperError('HOP_NOT_FOUND', 'You have no such session; GET /api/v1/me/sessions lists them.')
  }

  async me(caller: MemberCaller): Promise<Me> {
    return this.describe((await this.registry.members.get(caller.organization, caller.member))!, caller.csrf)
  }

  /** @throws HopperError HOP_SECOND_FACTOR, or HOP_RATE after too many wrong codes */
  private async checkSecondFactor(member: Member, code: string | undefined): Promise<void> {
    if (code === undefined) return this.factors.check(member, code)
    const account = JSON.stringify([member.organization, member.id])
    await this.perFactor.guard(account, this.clock(), () => this.factors.check(member, code))
  }

  /** Begins a session of a member who has been identified. */
  async begin(member: Member): Promise<NewLogin> {
    const now = this.clock()
    await removeExpiredLogins(this.registry, now)
    const token = newSecret()
    const csrf = newSecret()
    const login: Login = {
      hash: secretHash(token),
      organization: member.organization,
      member: member.id,
      kind: 'cookie',
      csrf,
      created_at: now,
      expires_at: now + COOKIE_MS,
    }
    await this.registry.logins.put('', login.hash, login)
    return { token, csrf, maxAgeSeconds: COOKIE_MS / 1000, me: await this.describe(member, csrf) }
  }

  private async sessionsOf({ organization, member }: MemberCaller): Promise<Login[]> {
    const logins = await loginsOf(this.registry, { organization, id: member })
    const now = this.clock()
    return logins.filter(({ kind, expires_at }) => kind === 'cookie' && expires_at > now)
  }

  /**
   * Finds the members that a name may mean: in each organization the one with that id, or the only one of that name.
   * Members of other organizations never make a login ambiguous: the password decides.
   */
  private async candidates(name: string, organization: string | undefined): Promise<Member[]> {
    const members = await this.registry.members.list(organization)
    const called = Map.groupBy(
      members.filter(({ id, name: own }) => id === name || own === name),
      (member) => member.organization,
    )
    const found = [...called.values()].flatMap(
      (own) => own.find(({ id }) => id === name) ?? (own.length === 1 ? own : []),
    )
    return found.length <= CANDIDATES_MAX ? found : []
  }

  /** @throws HopperError HOP_LOGIN_FAILED, after the same time whether there is such a member or not */
  private async verified(candidates: readonly Member[], password: string): Promise<Member> {
    const matching: Member[] = []
    for (const candidate of candidates.length > 0 ? candidates : [undefined])
      if ((await verifyPassword(password, candidate?.password)) && candidate) matching.push(candidate)
    if (matching.length > 1)
      throw new HopperError('HOP_LOGIN_FAILED', 'Several organizations have this member; send organization too.')
    if (!matching[0]) throw new HopperError('HOP_LOGIN_FAILED')
    return matching[0]
  }

  private async describe(member: Member, csrf: string): Promise<Me> {
    const { id, name, role, organization, password, email } = member
    const provider = this.provider.name
    const link = provider === undefined ? undefined : await this.links.of(member)
    const owner = await this.registry.organizations.get('', organization)
    return {
      member: {
        id,
        name,
        role,
        has_password: password !== undefined,
        ...(email === undefined ? {} : { email }),
      },
      organization: { id: organization, name: owner?.name ?? organization },
      csrf,
      ...(this.ingestUrl === undefined ? {} : { ingest_url: this.ingestUrl }),
      ...(link && provider !== undefined ? { provider_login: { name: provider, email: link.email } } : {}),
    }
  }
}

import { Inject, Injectable } from '@nestjs/common'
import { HopperError, type Me, type Member } from '@hopper/contracts'
import type { Login, Registry } from '@hopper/storage'
import { FailureCounter } from '../../access/failure-counter.ts'
import type { MemberCaller } from '../../access/caller.ts'
import { verifyPassword } from '../../access/password.ts'
import { newSecret, secretHash } from '../../access/secret.ts'
import type { LoginBody } from '../../answers/administration.ts'
import { invalidFields } from '../../http/checked.ts'
import { removeExpiredLogins } from '../../provisioning/login-link.ts'
import { CLOCK, INGEST_URL, REGISTRY, type Clock } from '../../tokens.ts'

const COOKIE_MS = 30 * 86_400_000
const WINDOW_MS = 15 * 60_000
const FAILURES_PER_NAME_MAX = 10
const FAILURES_PER_SOURCE_MAX = 50

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
  private readonly clock: Clock
  private readonly ingestUrl: string | undefined
  private readonly perName = new FailureCounter(FAILURES_PER_NAME_MAX, WINDOW_MS)
  private readonly perSource = new FailureCounter(FAILURES_PER_SOURCE_MAX, WINDOW_MS)

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(CLOCK) clock: Clock,
    @Inject(INGEST_URL) ingestUrl: string | undefined,
  ) {
    this.registry = registry
    this.ingestUrl = ingestUrl
    this.clock = clock
  }

  async byPassword(body: LoginBody, source: string): Promise<NewLogin> {
    const name = body.member ?? body.name
    if (name === undefined) {
      throw invalidFields([{ field: 'name', message: 'is required, or `member`' }])
    }
    const now = this.clock()
    this.perName.check(name, now)
    this.perSource.check(source, now)
    // count a failure before the slow check, so that concurrent guesses do not all get through; success clears it
    this.perName.fail(name, now)
    this.perSource.fail(source, now)
    const member = await this.member(name, body.organization)
    if (!(await verifyPassword(body.password, member?.password)) || !member) throw new HopperError('HOP_LOGIN_FAILED')
    this.perName.succeed(name)
    this.perSource.forgive(source)
    return this.begin(member)
  }

  /** Logs in by link. A link works once: only the request that removes it succeeds. */
  async byLink(token: string): Promise<NewLogin> {
    const hash = secretHash(token)
    const link = await this.registry.logins.get('', hash)
    if (!link || link.kind !== 'link' || !(await this.registry.logins.remove('', hash)))
      throw new HopperError('HOP_LOGIN_FAILED')
    const member =
      link.expires_at > this.clock() ? await this.registry.members.get(link.organization, link.member) : undefined
    if (!member) throw new HopperError('HOP_LOGIN_FAILED')
    return this.begin(member)
  }

  async end(caller: MemberCaller): Promise<void> {
    await this.registry.logins.remove('', caller.login)
  }

  async me(caller: MemberCaller): Promise<Me> {
    return this.describe((await this.registry.members.get(caller.organization, caller.member))!, caller.csrf)
  }

  private async begin(member: Member): Promise<NewLogin> {
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
      expires_at: now + COOKIE_MS,
    }
    await this.registry.logins.put('', login.hash, login)
    return { token, csrf, maxAgeSeconds: COOKIE_MS / 1000, me: await this.describe(member, csrf) }
  }

  /** Finds a member by id, or by a name that only one member has. */
  private async member(name: string, organization: string | undefined): Promise<Member | undefined> {
    const members = await this.registry.members.list(organization)
    const named = members.filter((member) => member.name === name)
    return members.find(({ id }) => id === name) ?? (named.length === 1 ? named[0] : undefined)
  }

  private async describe({ id, name, role, organization }: Member, csrf: string): Promise<Me> {
    const owner = await this.registry.organizations.get('', organization)
    return {
      member: { id, name, role },
      organization: { id: organization, name: owner?.name ?? organization },
      csrf,
      ...(this.ingestUrl === undefined ? {} : { ingest_url: this.ingestUrl }),
    }
  }
}

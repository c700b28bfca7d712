import { Inject, Injectable } from '@nestjs/common'
import { HopperError, type Member } from '@hopper/contracts'
import { KeyUses, type Registry } from '@hopper/storage'
import type { FastifyRequest } from 'fastify'
import { CLOCK, PUBLIC_URL, REGISTRY, type Clock } from '../tokens.ts'
import type { Call } from '../http/call.ts'
import { isCredential } from '../http/credential.ts'
import type { Caller, KeyCaller, MemberCaller } from './caller.ts'
import { sessionCookie } from './cookies.ts'
import { removeLogin } from './logins.ts'
import { OidcProvider } from './provider/oidc-provider.ts'
import { ProviderLinks } from './provider/provider-links.ts'
import { SharedSessions } from './shared-sessions.ts'
import { sameSecret, secretHash } from './secret.ts'

/** A session that was not used for this long is over. */
const IDLE_MS_MAX = 7 * 86_400_000
/** Resolution of the last use in ms: it is not written at every request. */
const USE_NOTED_MS = 3_600_000
const SAFE_METHODS = new Set(['GET', 'HEAD'])

/**
 * Identifies the caller. A key takes precedence over a shared link, and that over a cookie; a change made with a cookie
 * needs the CSRF header.
 */
@Injectable()
export class AccessService {
  private readonly registry: Registry
  private readonly clock: Clock
  private readonly secure: boolean
  private readonly shared: SharedSessions
  private readonly provider: OidcProvider
  private readonly links: ProviderLinks
  private readonly uses: KeyUses

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(CLOCK) clock: Clock,
    @Inject(PUBLIC_URL) publicUrl: string,
    @Inject(SharedSessions) shared: SharedSessions,
    @Inject(OidcProvider) provider: OidcProvider,
    @Inject(ProviderLinks) links: ProviderLinks,
  ) {
    this.provider = provider
    this.links = links
    this.shared = shared
    this.registry = registry
    this.clock = clock
    this.secure = publicUrl.startsWith('https:')
    this.uses = new KeyUses(registry, clock)
  }

  async identify(request: FastifyRequest, call: Pick<Call, 'query'>): Promise<Caller> {
    const key = keyOf(request, call)
    if (key !== undefined) return this.byKey(key)
    const reader = await this.shared.identify(request)
    if (reader) return reader
    const token = sessionCookie(request, this.secure)
    if (!token) throw new HopperError('HOP_LOGIN_REQUIRED')
    const caller = await this.byCookie(token)
    if (!SAFE_METHODS.has(request.method)) checkCsrf(request, caller)
    return caller
  }

  private async byKey(key: string): Promise<KeyCaller> {
    const hash = secretHash(key)
    const record = await this.registry.keyByHash(hash)
    if (!record) throw new HopperError('HOP_KEY_UNKNOWN')
    this.uses.note(record)
    return {
      kind: 'key',
      hash,
      power: record.power,
      organization: record.organization,
      ...(record.app === undefined ? {} : { app: record.app }),
    }
  }

  private async byCookie(token: string): Promise<MemberCaller> {
    const login = await this.registry.logins.get('', secretHash(token))
    if (!login || login.kind !== 'cookie') throw new HopperError('HOP_LOGIN_REQUIRED')
    const now = this.clock()
    const used = await this.registry.loginUses.get('', login.hash)
    const usedAt = used?.at ?? login.created_at ?? now
    const isOver = login.expires_at <= now || usedAt + IDLE_MS_MAX <= now
    const member = isOver ? undefined : await this.registry.members.get(login.organization, login.member)
    if (!member) {
      await removeLogin(this.registry, login.hash)
      throw new HopperError('HOP_LOGIN_REQUIRED')
    }
    if (used === undefined || Math.abs(now - used.at) > USE_NOTED_MS)
      await this.registry.loginUses.put('', login.hash, { hash: login.hash, at: now })
    return {
      kind: 'member',
      organization: login.organization,
      member: member.id,
      role: member.role,
      csrf: login.csrf,
      login: login.hash,
      mustChoosePassword: await this.mustChoosePassword(member),
    }
  }

  /**
   * Returns whether a member has come by a link, which is used up, and could not come back. Owners may choose later:
   * every start of Hopper prints a link for its owner.
   */
  private async mustChoosePassword(member: Member): Promise<boolean> {
    if (member.password !== undefined || member.role === 'owner') return false
    return this.provider.name === undefined || (await this.links.of(member)) === undefined
  }
}

function keyOf(request: FastifyRequest, call: Pick<Call, 'query'>): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')
  if (bearer) return bearer[1]
  const header = request.headers['x-api-key']
  if (typeof header === 'string' && header !== '') return header
  const { key } = request.query as Record<string, unknown>
  if (typeof key !== 'string' || key === '' || !isCredential(call, key)) return undefined
  // addresses end up in logs, histories and referrers
  if (/^h[ra]_/.test(key)) throw new HopperError('HOP_KEY_IN_ADDRESS')
  return key
}

function checkCsrf(request: FastifyRequest, caller: MemberCaller): void {
  const sent = request.headers['x-hopper-csrf']
  if (typeof sent !== 'string' || !sameSecret(sent, caller.csrf)) throw new HopperError('HOP_CSRF')
}

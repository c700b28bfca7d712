import { Inject, Injectable } from '@nestjs/common'
import { HopperError } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { FastifyRequest } from 'fastify'
import { CLOCK, REGISTRY, type Clock } from '../tokens.ts'
import type { Call } from '../http/call.ts'
import { isCredential } from '../http/credential.ts'
import type { Caller, KeyCaller, MemberCaller } from './caller.ts'
import { sessionCookie } from './cookies.ts'
import { sameSecret, secretHash } from './secret.ts'

const SAFE_METHODS = new Set(['GET', 'HEAD'])

/** Identifies the caller. A key takes precedence over a cookie; a change made with a cookie needs the CSRF header. */
@Injectable()
export class AccessService {
  private readonly registry: Registry
  private readonly clock: Clock

  constructor(@Inject(REGISTRY) registry: Registry, @Inject(CLOCK) clock: Clock) {
    this.registry = registry
    this.clock = clock
  }

  async identify(request: FastifyRequest, call: Pick<Call, 'query'>): Promise<Caller> {
    const key = keyOf(request, call)
    if (key !== undefined) return this.byKey(key)
    const token = sessionCookie(request)
    if (!token) throw new HopperError('HOP_LOGIN_REQUIRED')
    const caller = await this.byCookie(token)
    if (!SAFE_METHODS.has(request.method)) checkCsrf(request, caller)
    return caller
  }

  private async byKey(key: string): Promise<KeyCaller> {
    const hash = secretHash(key)
    const record = await this.registry.keyByHash(hash)
    if (!record) throw new HopperError('HOP_KEY_UNKNOWN')
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
    const member =
      login.expires_at > this.clock() ? await this.registry.members.get(login.organization, login.member) : undefined
    if (!member) {
      await this.registry.logins.remove('', login.hash)
      throw new HopperError('HOP_LOGIN_REQUIRED')
    }
    return {
      kind: 'member',
      organization: login.organization,
      member: member.id,
      role: member.role,
      csrf: login.csrf,
      login: login.hash,
    }
  }
}

function keyOf(request: FastifyRequest, call: Pick<Call, 'query'>): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')
  if (bearer) return bearer[1]
  const header = request.headers['x-api-key']
  if (typeof header === 'string' && header !== '') return header
  const { key } = request.query as Record<string, unknown>
  return typeof key === 'string' && key !== '' && isCredential(call, key) ? key : undefined
}

function checkCsrf(request: FastifyRequest, caller: MemberCaller): void {
  const sent = request.headers['x-hopper-csrf']
  if (typeof sent !== 'string' || !sameSecret(sent, caller.csrf)) throw new HopperError('HOP_CSRF')
}

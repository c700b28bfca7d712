import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common'
import { HopperError, type App } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { FastifyRequest } from 'fastify'
import { callOf, type Call, type Need } from '../http/call.ts'
import { ArchiveQueries } from '../query/archive-queries.ts'
import { sharedScope } from '../sharing/shared-scope.ts'
import { CLOCK, REGISTRY, type Clock } from '../tokens.ts'
import { AccessService } from './access.service.ts'
import { callerName, grant, maySee, roleOf, type Caller, type SharedCaller } from './caller.ts'

/**
 * Admits a request if its caller has the scope that the call needs, and may see the app in the path or has one of its
 * own.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly access: AccessService
  private readonly registry: Registry
  private readonly queries: ArchiveQueries
  private readonly clock: Clock

  constructor(
    @Inject(AccessService) access: AccessService,
    @Inject(REGISTRY) registry: Registry,
    @Inject(ArchiveQueries) queries: ArchiveQueries,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.clock = clock
    this.access = access
    this.registry = registry
    this.queries = queries
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const call = callOf(context.getHandler())
    const { need, progress, ofKey } = call
    if (need === 'nothing') return true
    const request = context.switchToHttp().getRequest<FastifyRequest>()
    const caller = await this.access.identify(request, call)
    if (caller.kind === 'shared') checkShared(caller, call)
    else {
      checkPassword(caller, call)
      checkScope(caller, need)
    }
    const { app: id } = request.params as { app?: string }
    if (id !== undefined) {
      const app = await visibleApp(this.registry, caller, id)
      const scope = caller.kind === 'shared' ? sharedScope(caller.link.view, app, this.clock()) : undefined
      grant(request, { caller, app, ...(scope ? { scope } : {}) })
    } else grant(request, ofKey === undefined ? { caller } : { caller, app: await this.appOfKey(caller, ofKey) })
    // refuse a flood of queries before validating their bodies
    const app = id ?? (caller.kind === 'key' ? caller.app : undefined)
    if (progress && app !== undefined) this.queries.assertRoom({ app, caller: callerName(caller) })
    return true
  }

  /** @throws HopperError HOP_PARAM_INVALID for a caller without an app of its own; it names the call to use instead */
  private async appOfKey(caller: Caller, instead: string): Promise<App> {
    const app = caller.kind === 'key' && caller.app !== undefined ? await this.registry.app(caller.app) : undefined
    if (app) return app
    throw new HopperError(
      'HOP_PARAM_INVALID',
      `This path needs the read key of an app; with another key or a login, use ${instead}.`,
    )
  }
}

/**
 * Finds an app that the caller may see. Reports one of another organization as unknown, not forbidden, so that nobody
 * can probe which ids exist.
 */
export async function visibleApp(registry: Pick<Registry, 'app'>, caller: Caller, id: string): Promise<App> {
  // the answer does not depend on whether the other app exists
  if (caller.kind === 'shared' && caller.app !== id) throw new HopperError('HOP_SHARED_VIEW')
  if (caller.kind === 'key' && caller.app !== undefined && caller.app !== id) throw new HopperError('HOP_KEY_POWER')
  const app = await registry.app(id)
  if (!app || !maySee(caller, app)) throw new HopperError('HOP_APP_UNKNOWN')
  return app
}

/** @throws HopperError HOP_SHARED_VIEW for a call that the page of the shared view does not make */
function checkShared({ link }: SharedCaller, { need, shared }: Pick<Call, 'need' | 'shared'>): void {
  if (need === 'shared' || shared?.pages.includes(link.view.page)) return
  throw new HopperError('HOP_SHARED_VIEW', 'This call is not part of the view.')
}

/** @throws HopperError HOP_PASSWORD_REQUIRED for a member who has yet to choose a password */
function checkPassword(caller: Caller, { beforePassword = false }: Pick<Call, 'beforePassword'>): void {
  if (caller.kind !== 'member' || !caller.mustChoosePassword || beforePassword) return
  throw new HopperError('HOP_PASSWORD_REQUIRED')
}

/** @throws HopperError if the caller lacks the required scope */
export function checkScope(caller: Caller, need: Exclude<Need, 'nothing'>): void {
  if (need === 'login') {
    if (caller.kind !== 'member')
      throw new HopperError(
        'HOP_LOGIN_REQUIRED',
        'Only a logged-in member can make this call, not a key; log in first.',
      )
    return
  }
  if (need === 'shared') throw new HopperError('HOP_SHARED_LINK')
  const role = roleOf(caller)
  if (role === 'owner' || role === 'admin' || (role === 'viewer' && need === 'read')) return
  if (caller.kind !== 'key') throw new HopperError('HOP_ROLE')
  const scope = need === 'read' ? 'read' : 'admin'
  throw new HopperError('HOP_KEY_POWER', `This key cannot make this call: it needs the ${scope} scope.`)
}

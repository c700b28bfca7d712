import type { App, KeyScope, Role } from '@hopper/contracts'
import type { FastifyRequest } from 'fastify'

export interface KeyCaller {
  readonly kind: 'key'
  /** the hash of the key */
  readonly hash: string
  readonly power: KeyScope
  readonly organization: string
  readonly app?: string
}

export interface MemberCaller {
  readonly kind: 'member'
  readonly organization: string
  readonly member: string
  readonly role: Role
  readonly csrf: string
  /** hash of the cookie */
  readonly login: string
}

/** Who asks: a key, or a member by cookie. */
export type Caller = KeyCaller | MemberCaller

/** The same text for each request of a key, and of a member in all of its sessions. */
export function callerName(caller: Caller): string {
  return caller.kind === 'key' ? `key ${caller.hash}` : `member ${caller.organization} ${caller.member}`
}

/** What a caller may do at most; nothing for a write key. An admin key is as strong as an owner of its organization. */
export function roleOf(caller: Caller): Role | undefined {
  if (caller.kind === 'member') return caller.role
  return caller.power === 'admin' ? 'owner' : caller.power === 'read' ? 'viewer' : undefined
}

/** Whether a caller may see an app. */
export function maySee(caller: Caller, app: App): boolean {
  if (app.organization !== caller.organization) return false
  return caller.kind === 'member' || caller.app === undefined || caller.app === app.id
}

/** What the guard found out about a request. */
export interface Granted {
  readonly caller: Caller
  /** the app that the path names */
  readonly app?: App
}

const grants = new WeakMap<FastifyRequest, Granted>()

export function grant(request: FastifyRequest, granted: Granted): void {
  grants.set(request, granted)
}

export function grantedOf(request: FastifyRequest): Granted {
  const granted = grants.get(request)
  if (!granted) throw new TypeError('no guard has let this request in')
  return granted
}

import type { App, KeyScope, Role, SharedLink } from '@hopper/contracts'
import type { FastifyRequest } from 'fastify'
import { READERS_PREFIX } from '../query/sharing/shares.ts'
import type { SharedScope } from '../sharing/shared-scope.ts'

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
  /** true for an invited member who has no way to log in again yet: no other call is answered before one is set up */
  readonly mustChoosePassword: boolean
}

/** A reader of a shared link: somebody who has it, and its password if it has one. */
export interface SharedCaller {
  readonly kind: 'shared'
  readonly organization: string
  readonly app: string
  readonly link: SharedLink
}

/** The caller of a request: a key, a member with a cookie, or a reader of a shared link. */
export type Caller = KeyCaller | MemberCaller | SharedCaller

/**
 * A stable name: the same for every request of a key, for all sessions of a member, and for all readers of an app's
 * shared links, who share what one caller may use.
 */
export function callerName(caller: Caller): string {
  if (caller.kind === 'shared') return `${READERS_PREFIX}${caller.app}`
  return caller.kind === 'key' ? `key ${caller.hash}` : `member ${caller.organization} ${caller.member}`
}

/**
 * The highest role of a caller; undefined for a write key and for readers. An admin key counts as an owner of its
 * organization.
 */
export function roleOf(caller: Caller): Role | undefined {
  if (caller.kind === 'member') return caller.role
  if (caller.kind === 'shared') return undefined
  return caller.power === 'admin' ? 'owner' : caller.power === 'read' ? 'viewer' : undefined
}

/** Returns whether the caller may see the app. */
export function maySee(caller: Caller, app: App): boolean {
  if (app.organization !== caller.organization) return false
  return caller.kind === 'member' || caller.app === undefined || caller.app === app.id
}

/** The result of the guard for a request. */
export interface Granted {
  readonly caller: Caller
  /** the app in the path, or that of the key */
  readonly app?: App
  /** the link, whose view is all that its reader may ask about */
  readonly scope?: SharedScope
}

const grants = new WeakMap<FastifyRequest, Granted>()

/** Records what the guard has granted to a request; `grantedOf` returns it. */
export function grant(request: FastifyRequest, granted: Granted): void {
  grants.set(request, granted)
}

/**
 * Returns what the guard has granted to a request.
 * @throws TypeError for a request that has not passed the guard
 */
export function grantedOf(request: FastifyRequest): Granted {
  const granted = grants.get(request)
  if (!granted) throw new TypeError('this request has not passed the guard')
  return granted
}

import type { SharedPage } from '../sharing/shareable.ts'

/**
 * Callers of a route, declared beside it: everybody, a write key, a read key of the app, an admin key or role, a
 * logged-in member, a reader of a shared link, or a reader of the metrics.
 */
export type RouteAccess = 'nothing' | 'write' | 'read' | 'admin' | 'login' | 'shared' | 'operator'

/** Declares the access of a route in its `config`, where the server and its tests find it. */
export interface AccessConfig {
  readonly access: RouteAccess
  /** true for a route that only refuses methods which its path does not take */
  readonly refuses?: boolean
  /** pages of shared links whose readers may call the route too, bound to the question of their view */
  readonly sharedPages?: readonly SharedPage[]
}

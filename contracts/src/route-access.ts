/**
 * Callers of a route, declared beside it: everybody, a write key, a read key of the app, an admin key or role, a
 * logged-in member, or a reader of the metrics.
 */
export type RouteAccess = 'nothing' | 'write' | 'read' | 'admin' | 'login' | 'operator'

/** Declares the access of a route in its `config`, where the server and its tests find it. */
export interface AccessConfig {
  readonly access: RouteAccess
}

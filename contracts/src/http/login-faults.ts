/**
 * Why a login that happens in the address bar did not succeed, in `?login=` of the dashboard. `expired` is about login
 * links, all others about logins by the OpenID provider.
 */
export const loginFaults = [
  'expired',
  'unavailable',
  'failed',
  'cancelled',
  'stale',
  'unknown',
  'unverified',
  'linked',
  'rate',
] as const
export type LoginFault = (typeof loginFaults)[number]

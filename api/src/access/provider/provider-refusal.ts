import { HopperError, type ErrorCode, type LoginFault } from '@hopper/contracts'

export type ProviderFault = Exclude<LoginFault, 'expired' | 'rate'>

const refusals: Readonly<Record<ProviderFault, { readonly code: ErrorCode; readonly message?: string }>> = {
  unavailable: { code: 'HOP_PROVIDER_UNAVAILABLE' },
  failed: {
    code: 'HOP_LOGIN_FAILED',
    message: 'The answer of the OpenID provider is not valid; the log of Hopper has the reason.',
  },
  cancelled: { code: 'HOP_LOGIN_FAILED', message: 'The OpenID provider has refused the login.' },
  stale: {
    code: 'HOP_LOGIN_FAILED',
    message:
      'This browser has no such login under way: it was used, took too long or was begun elsewhere; begin again.',
  },
  unknown: {
    code: 'HOP_LOGIN_FAILED',
    message: 'No member has the e-mail address of this account; an admin can add it.',
  },
  unverified: {
    code: 'HOP_LOGIN_FAILED',
    message: 'The OpenID provider does not confirm an e-mail address of this account.',
  },
  linked: {
    code: 'HOP_LOGIN_FAILED',
    message: 'The member with this e-mail address logs in by another account; an admin can remove and add the address.',
  },
}

/** The error for a login by the OpenID provider that does not succeed; `details.reason` is the fault. */
export function providerRefusal(reason: ProviderFault): HopperError {
  const { code, message } = refusals[reason]
  return new HopperError(code, message, { details: { reason } })
}

/** Returns the fault that the login page shows; undefined for an error that has nothing to do with a login. */
export function loginFaultOf(error: unknown): LoginFault | undefined {
  if (!(error instanceof HopperError)) return undefined
  if (error.code === 'HOP_RATE') return 'rate'
  if (error.code === 'HOP_STORE_UNAVAILABLE') return 'unavailable'
  const { reason } = (error.details ?? {}) as { reason?: string }
  return reason !== undefined && Object.hasOwn(refusals, reason) ? (reason as ProviderFault) : undefined
}

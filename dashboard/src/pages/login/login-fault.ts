import type { LoginFault } from '@hopper/contracts'

/** Why a login in the address bar did not succeed, and what to do. */
const faults: Record<LoginFault, string> = {
  expired: 'This login link has been used or has expired. Ask for a new one, or log in with your password.',
  unavailable: 'The login by your provider is not available now. Try again in a minute, or log in with your password.',
  failed:
    'The answer of your provider was not valid, so you are not logged in. Try again; if it happens again, tell ' +
    'the person who runs Hopper: the log has the reason.',
  cancelled: 'Your provider did not let you in, or you have cancelled. You are not logged in.',
  stale: 'This login was used, took too long, or was begun in another browser. Log in again.',
  unknown:
    'Your provider knows you, but Hopper does not: no member has your e-mail address. Ask an admin of your ' +
    'organization to add it.',
  unverified:
    'Your provider does not confirm your e-mail address, so Hopper cannot tell who you are. Confirm it there, or log ' +
    'in with your password.',
  linked:
    'The member with your e-mail address logs in by another account of your provider. An admin of your organization ' +
    'can remove the address and add it again.',
  rate: 'Too many logins from your network have failed. Wait for a quarter of an hour, then try again.',
}

/** Describes why the login that led to this address did not succeed; undefined if none failed. */
export function loginFault(search: string): string | undefined {
  const fault = new URLSearchParams(search).get('login')
  return fault !== null && Object.hasOwn(faults, fault) ? faults[fault as LoginFault] : undefined
}

import type { Me } from '@hopper/contracts'

const STORED = 'hopper.password-later'

/** Remembers, in this browser, that a member who may do so chooses a password another time. */
export function choosePasswordLater(me: Me): void {
  localStorage.setItem(STORED, nameOf(me))
}

/**
 * Returns whether a member must choose a password before anything else: a login link works once, so a member without a
 * password could not come back. An owner may put it off, since every start of Hopper prints a new link for the owner.
 */
export function needsPassword(me: Me): boolean {
  if (me.member.has_password || me.provider_login) return false
  return !mayChooseLater(me) || localStorage.getItem(STORED) !== nameOf(me)
}

/** Returns whether a member may put off choosing a password; the reason is at `needsPassword`. */
export function mayChooseLater({ member }: Me): boolean {
  return member.role === 'owner'
}

function nameOf({ member, organization }: Me): string {
  return JSON.stringify([organization.id, member.id])
}

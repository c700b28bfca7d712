/**
 * Options of the app. In the script they are constants of its build, so an option that is off costs no byte; in the
 * package they are set by `init`.
 */
export const options = {
  /** nothing is stored or sent before `hopper.consent(true)` */
  consent: false,
  /** nothing is stored at all; the server derives device and session */
  cookieless: false,
  /** links to the hosts in the configuration hand the device over */
  cross_domains: false,
  /** a landing with a campaign begins a session */
  new_session_at_campaign: false,
  /** Do Not Track and Global Privacy Control are an opt-out */
  respect_privacy_signals: false,
  /** device and session are shared by all subdomains, in a cookie */
  subdomains: false,
}

/** The app's write key; it also separates the storage of two apps on one origin. */
export let key: string
let base: string

/** Sets the write key, and the address from which those of the endpoints are derived. */
export const identifyApp = (writeKey: string, address: string): void => {
  key = writeKey
  base = address
}

/** Returns the URL of an endpoint: `v1/NAME` relative to the address of the script, which may be one of the site. */
export const endpoint = (name: string): string => new URL(`v1/${name}?key=${key}`, new URL(base, location.href)).href

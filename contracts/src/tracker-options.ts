import { Type, type Static } from 'typebox'
import { limits } from './limits.ts'

const flag = (description: string): ReturnType<typeof Type.Boolean> => Type.Boolean({ description })

/** A host as browsers write it: lower case, international names in Punycode, with the port where it is not standard. */
const host = Type.String({
  pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?$',
  maxLength: limits.hostCharsMax,
  description: 'a host in lower case without scheme and path, such as shop.example',
})

/** Options of an app's tracker. An option that is absent is off. */
export const TrackerOptions = Type.Object({
  consent: Type.Optional(flag('true: the tracker sends nothing before `hopper.consent(true)`')),
  cookieless: Type.Optional(flag('true: the tracker stores nothing in the browser; ingest derives the device')),
  respect_privacy_signals: Type.Optional(flag('true: Do Not Track and Global Privacy Control turn the tracker off')),
  subdomains: Type.Optional(flag('true: all subdomains of a site share the device')),
  cross_domains: Type.Optional(
    Type.Array(host, {
      maxItems: limits.crossDomainsMax,
      description: 'hosts that share the device by signed links; list every host, in both directions',
    }),
  ),
  new_session_at_campaign: Type.Optional(flag('true: a visit from another campaign begins a session')),
})
export type TrackerOptions = Static<typeof TrackerOptions>

/** Settings of an app that select its build of the tracker. */
export interface TrackedApp {
  readonly tracker?: TrackerOptions
  readonly hash_routing?: boolean
}

/** Returns the options of a tracker that are on. */
export function enabledOptions(options: TrackerOptions = {}): TrackerOptions {
  return Object.fromEntries(Object.entries(options).filter(([name, value]) => isKnown(name) && isOn(value)))
}

/**
 * Returns the name of the build for an app: its options that are on, in alphabetical order with `+` in between, or
 * `default`. The index of the builds, `tracker/dist/variants.json`, has these names as keys.
 */
export function trackerVariant({ tracker = {}, hash_routing }: TrackedApp): string {
  const named = Object.entries({ ...enabledOptions(tracker), hash_routing }).filter(([, value]) => isOn(value))
  const names = named.map(([name]) => name).sort()
  return names.length === 0 ? 'default' : names.join('+')
}

/** Stored apps may have options of an earlier version. */
function isKnown(name: string): boolean {
  return Object.hasOwn(TrackerOptions.properties, name)
}

function isOn(value: boolean | readonly string[] | undefined): boolean {
  return Array.isArray(value) ? value.length > 0 : value === true
}

/** The body of `POST /v1/link`: the device that a link takes to another host. */
export const LinkBody = Type.Object({ device_id: Type.String({ minLength: 1, maxLength: limits.idCharsMax }) })
export type LinkBody = Static<typeof LinkBody>

/** The response of `POST /v1/link`. */
export const LinkToken = Type.Object({ token: Type.String({ description: 'valid for two minutes' }) })
export type LinkToken = Static<typeof LinkToken>

/** The response of `GET /v1/link`. */
export const LinkedDevice = Type.Object({ device_id: Type.String() })
export type LinkedDevice = Static<typeof LinkedDevice>

import type { Channel, Context } from '@hopper/contracts'
import hosts from './source-hosts.json' with { type: 'json' }

/** Parts of an arrival that a channel follows from, as they are stored. */
export type Origin = Pick<Context, 'utm' | 'referrer' | 'click_id'>

type HostChannel = keyof typeof hosts

// Google Analytics, "Default channel group": the mediums of its paid channels, of Display, Email, Organic Social.
const paidMedium = /^(.*cp.*|ppc|retargeting|paid.*|display|banner|expandable|interstitial)$/
const emailNames: ReadonlySet<string> = new Set(['email', 'e-mail', 'e_mail', 'e mail'])
const socialMediums: ReadonlySet<string> = new Set([
  'social',
  'social-network',
  'social-media',
  'sm',
  'social network',
  'social media',
])
const referralMediums: ReadonlySet<string> = new Set(['referral', 'app', 'link'])

/** Hosts, and names of sites under any top-level domain, of each channel. */
const channelOfHost = new Map<string, HostChannel>()
const channelOfName = new Map<string, HostChannel>()
for (const channel of ['search', 'social', 'email', 'referral'] as const) {
  for (const pattern of hosts[channel]) {
    if (pattern.endsWith('.*')) channelOfName.set(pattern.slice(0, -2), channel)
    else channelOfHost.set(pattern, channel)
  }
}

/**
 * Returns the channel by which a session came: the first rule of docs/sources.md that holds. The source is `utm_source`
 * or, without one, the host of the referrer.
 */
export function channelOf({ utm = {}, referrer, click_id }: Origin): Channel {
  const medium = lowerCase(utm['utm_medium'])
  const source = lowerCase(utm['utm_source'])
  const known = channelOfSource(source || hostOfPage(referrer))
  if (click_id === 'gclid' || click_id === 'msclkid' || paidMedium.test(medium)) return 'paid'
  if (emailNames.has(medium) || emailNames.has(source) || (medium === '' && known === 'email')) return 'email'
  // Facebook adds its click id to every link, also to those that nobody has paid for.
  if (socialMediums.has(medium) || known === 'social' || click_id === 'fbclid') return 'social'
  if (medium === 'organic' || known === 'search') return 'search'
  if (referralMediums.has(medium)) return 'referral'
  if (Object.keys(utm).length > 0) return 'campaign'
  return referrer === undefined ? 'direct' : 'referral'
}

/** Returns the channel of a listed host or one below it, or of a name of a listed site, such as `google`. */
function channelOfSource(source: string): HostChannel | undefined {
  if (source === '') return undefined
  const labels = source.split('.')
  for (let from = 0; from < labels.length; from++) {
    const channel = channelOfHost.get(labels.slice(from).join('.')) ?? channelOfName.get(nameOf(labels.slice(from)))
    if (channel !== undefined) return channel
  }
  return labels.length === 1 ? nameOnly.get(source) : undefined
}

/** Channels by the names that campaigns give to the listed sites: their host without its top-level domain. */
const nameOnly: ReadonlyMap<string, HostChannel> = new Map([
  ...[...channelOfHost]
    .filter(([host]) => host.split('.').length === 2 && host.indexOf('.') > 2)
    .map(([host, channel]) => [host.split('.', 1)[0]!, channel] as const),
  ...channelOfName,
])

/**
 * Returns the name in front of a public suffix, which is one label or, under the domain of a country, two (`co.uk`).
 * Empty for any other host, so that `google.shop.example` is not Google.
 */
function nameOf(labels: readonly string[]): string {
  const [name, second, third] = labels
  if (labels.length === 2) return name!
  return labels.length === 3 && second!.length <= 3 && third!.length === 2 ? name! : ''
}

/** Returns the host of a page as it is stored, without its port. */
function hostOfPage(page = ''): string {
  return lowerCase(page.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').split(/[/:]/, 1)[0])
}

function lowerCase(text = ''): string {
  return text.trim().toLowerCase()
}

import type { EventsBody } from '@hopper/contracts'
import type { DeviceKind } from './agents.ts'
import type { Random } from './random.ts'

/** Country and region of a visitor, and the settings of the browser. */
export interface Home {
  readonly country: string
  readonly region: string
  readonly language: string
}

type Source = NonNullable<EventsBody['source']>

/** Homes of visitors, with their frequency. */
const homes: readonly (readonly [home: Home, weight: number])[] = [
  [{ country: 'DE', region: 'DE-BE', language: 'de-DE' }, 24],
  [{ country: 'DE', region: 'DE-BY', language: 'de-DE' }, 16],
  [{ country: 'AT', region: 'AT-9', language: 'de-AT' }, 9],
  [{ country: 'CH', region: 'CH-ZH', language: 'de-CH' }, 7],
  [{ country: 'CH', region: 'CH-GE', language: 'fr-CH' }, 2],
  [{ country: 'FR', region: 'FR-IDF', language: 'fr-FR' }, 11],
  [{ country: 'NL', region: 'NL-NH', language: 'nl-NL' }, 8],
  [{ country: 'GB', region: 'GB-ENG', language: 'en-GB' }, 10],
  [{ country: 'US', region: 'US-CA', language: 'en-US' }, 8],
  [{ country: 'US', region: 'US-NY', language: 'es-US' }, 3],
  [{ country: 'NP', region: 'NP-P3', language: 'ne-NP' }, 2],
]

/** Pages that lead to visits without a campaign, with their frequency; the empty one: none. */
const referrers: readonly (readonly [referrer: string, weight: number])[] = [
  ['', 38],
  ['https://www.google.com/', 31],
  ['https://duckduckgo.com/', 4],
  ['https://www.bing.com/', 5],
  ['https://l.instagram.com/', 7],
  ['https://www.pinterest.com/', 4],
  ['https://www.reddit.com/', 3],
  ['https://interiors.example/best-desk-lamps', 5],
  ['https://magazine.example/reviews/desks', 3],
]
/** Pages that lead to visits of a campaign, by its source. */
const campaignReferrers: Readonly<Record<string, string>> = {
  google: 'https://www.google.com/',
  instagram: 'https://l.instagram.com/',
}
const screens = { desktop: 'large', tablet: 'medium', mobile: 'small' } as const satisfies Record<
  DeviceKind,
  EventsBody['screen']
>

export function homeOf(random: Random): Home {
  return random.weighted(homes)
}

export function screenOf(kind: DeviceKind): NonNullable<EventsBody['screen']> {
  return screens[kind]
}

/** Returns how a visit that begins at an address came there. */
export function sourceOf(address: string, random: Random): Source {
  const url = new URL(address)
  const campaign = Object.fromEntries(url.searchParams) as Source
  const landing_page = `${url.origin}${url.pathname}`
  const { utm_source } = campaign
  const referrer = utm_source === undefined ? random.weighted(referrers) : (campaignReferrers[utm_source] ?? '')
  return {
    landing_page,
    ...campaign,
    ...(campaign.utm_medium === 'cpc' && { click_id: 'gclid' as const }),
    ...(referrer !== '' && { referrer }),
  }
}

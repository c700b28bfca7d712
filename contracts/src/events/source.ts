import { Type, type Static } from 'typebox'
import { limits } from '../limits.ts'

/** Channels of a session, in the order in which the rule of `ingest/src/source/channel.ts` tests them. */
export const channels = ['paid', 'email', 'social', 'search', 'campaign', 'referral', 'direct'] as const
export type Channel = (typeof channels)[number]

/**
 * Click ids that advertising networks add to the address of a landing page: Google, Microsoft, Meta. Only which one it
 * was is sent and stored, never its value, which identifies the click.
 */
export const clickIds = ['gclid', 'msclkid', 'fbclid'] as const
export type ClickId = (typeof clickIds)[number]

export const screenClasses = ['small', 'medium', 'large'] as const
export type ScreenClass = (typeof screenClasses)[number]

/** Parameters of an address that name a campaign. */
export const campaignParameters = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content'] as const
export type CampaignParameter = (typeof campaignParameters)[number]

/** CSS pixels of width from which a screen is no longer small, and from which it is large. */
export const screenWidths = { medium: 768, large: 1_280 } as const

/** Returns the class of a screen by its width in CSS pixels. */
export function screenClassOf(width: number): ScreenClass {
  return width < screenWidths.medium ? 'small' : width < screenWidths.large ? 'medium' : 'large'
}

const address = (description: string): ReturnType<typeof Type.Optional<ReturnType<typeof Type.String>>> =>
  Type.Optional(Type.String({ maxLength: limits.urlCharsMax, description }))
const campaign = Type.Optional(Type.String({ maxLength: limits.campaignCharsMax }))

/**
 * Source of a session, as its tracker states it with each request of the session. An empty object: without a source.
 */
export const Source = Type.Object(
  {
    referrer: address('address of the page that led to the session; one of the own site is ignored'),
    landing_page: address('address of the first page of the session'),
    utm_source: campaign,
    utm_medium: campaign,
    utm_campaign: campaign,
    utm_term: campaign,
    utm_content: campaign,
    click_id: Type.Optional(Type.Enum([...clickIds], { description: 'which click id the first address had' })),
  },
  { description: 'how the session began; the same in each request of it, {} for a session without a source' },
)
export type Source = Static<typeof Source>

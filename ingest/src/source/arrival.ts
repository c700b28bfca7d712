import { campaignParameters, clickIds, limits, pageOf, type App, type ClickId, type Context } from '@hopper/contracts'
import { startOf } from '../batch/text-start.ts'
import { channelOf } from './channel.ts'

/** Beginning of a session. Without a channel it is not known. */
export type Arrival = Pick<Context, 'channel' | 'referrer' | 'landing_page' | 'click_id' | 'utm'>

/** Beginning of a session or a visit as its sender states it. Addresses are as they were sent. */
export interface StatedArrival {
  /** address of the page that led to the visit */
  readonly referrer?: string
  readonly landing_page?: string
  readonly click_id?: ClickId
  /** campaign; names begin with `utm_` */
  readonly utm?: Readonly<Record<string, string>>
}

const CAMPAIGN_KEYS_MAX = 10

/**
 * Returns the arrival that a sender states; without a channel when it states neither referrer, campaign nor click id.
 * `site` is an address of the visited site: one of the same site is not a referrer.
 */
export function statedArrival(
  { referrer, landing_page, click_id, utm }: StatedArrival,
  app: App,
  site = landing_page ?? '',
): Arrival {
  const campaign = Object.entries(utm ?? {}).flatMap(([name, value]) =>
    name.startsWith('utm_') && value !== '' ? [[name, cut(value)] as const] : [],
  )
  const from = referrer !== undefined && isReferrer(referrer, site, app) ? pageOf(referrer) : undefined
  const origin = {
    ...(from !== undefined && { referrer: from }),
    ...(click_id !== undefined && { click_id }),
    ...(campaign.length > 0 && { utm: Object.fromEntries(campaign.slice(0, CAMPAIGN_KEYS_MAX)) }),
  }
  return {
    ...(hasOrigin(origin) && { channel: channelOf(origin) }),
    ...origin,
    ...(landing_page !== undefined && landing_page !== '' && { landing_page: landingPageOf(landing_page, app) }),
  }
}

/** Returns the arrival of a session whose beginning is known; without a source, it is direct. */
export function completeArrival(stated: StatedArrival, app: App, site?: string): Arrival {
  return { channel: 'direct', ...statedArrival(stated, app, site || stated.landing_page) }
}

/**
 * Returns how a visitor arrived, by the first URL change of a request as it was sent: the campaign, the click id and
 * the referring site. Empty when it says nothing of it, as a change inside of the site does not.
 */
export function arrivalOf(
  first: { readonly from: string; readonly to: string },
  referer: string | undefined,
  app: App,
): Arrival {
  const utm = campaignOf(first.to)
  const click_id = clickIdOf(first.to)
  const referrer = [first.from, referer ?? ''].find((url) => isReferrer(url, first.to, app))
  if (utm === undefined && click_id === undefined && referrer === undefined) return {}
  return statedArrival(
    {
      landing_page: first.to,
      ...(referrer !== undefined && { referrer }),
      ...(click_id && { click_id }),
      ...(utm && { utm }),
    },
    app,
  )
}

/** Returns whether an arrival has a referrer, a campaign or a click id. */
export function hasOrigin({ referrer, click_id, utm }: Arrival): boolean {
  return referrer !== undefined || click_id !== undefined || utm !== undefined
}

/** Returns which click id an address has. */
export function clickIdOf(url: string): ClickId | undefined {
  if (!url.includes('clid=')) return undefined
  const parameters = parametersOf(url)
  return clickIds.find((name) => parameters.has(name))
}

/** Returns the campaign in the parameters of an address. */
export function campaignOf(url: string): Record<string, string> | undefined {
  if (!url.includes('utm_')) return undefined
  const parameters = parametersOf(url)
  const found = campaignParameters.flatMap((name) => {
    const value = cut(parameters.get(name) ?? '')
    return value ? [[name, value] as const] : []
  })
  return found.length > 0 ? Object.fromEntries(found) : undefined
}

function landingPageOf(url: string, { keep_parameters, hash_routing }: App): string {
  return pageOf(url, keep_parameters, hash_routing)
}

function parametersOf(url: string): URLSearchParams {
  return new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1).split('#', 1)[0] : '')
}

function cut(value: string): string {
  return startOf(value, limits.campaignCharsMax).toWellFormed()
}

/** Returns whether an address is of another site than a page, and of none of the origins of the app. */
function isReferrer(url: string, page: string, { origins }: App): boolean {
  return isOtherSite(url, page) && origins.every((origin) => isOtherSite(url, origin))
}

/**
 * Returns whether an address is of another site than a page; true for any address if the page is not known. A
 * leading `www.` makes no other site.
 */
export function isOtherSite(url: string, page: string): boolean {
  const host = hostOf(url)
  return host !== undefined && host !== hostOf(page)
}

/** Returns the host of a web page, or the name of an app from which a link was opened. */
function hostOf(url: string): string | undefined {
  const host = /^(?:https?|android-app|ios-app):\/\/([^/?#]+)/i.exec(url)?.[1]?.toLowerCase()
  return host?.replace(/^[^@]*@/, '').replace(/^www\./, '')
}

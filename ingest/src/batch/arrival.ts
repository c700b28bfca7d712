import { pageOf, type Context } from '@hopper/contracts'
import type { Supplement } from './incoming.ts'

const campaignParameters = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content'] as const
const VALUE_CHARS_MAX = 200
const CAMPAIGN_KEYS_MAX = 10

/** Returns the campaign and the referring site that a server states. */
export function statedArrival({ utm, referrer }: Supplement): Pick<Context, 'utm' | 'referrer'> {
  const campaign = Object.entries(utm ?? {}).flatMap(([name, value]) =>
    name.startsWith('utm_') && value !== '' ? [[name, cut(value)] as const] : [],
  )
  const page = referrer === undefined || hostOf(referrer) === undefined ? undefined : pageOf(referrer)
  return {
    ...(campaign.length > 0 && { utm: Object.fromEntries(campaign.slice(0, CAMPAIGN_KEYS_MAX)) }),
    ...(page !== undefined && { referrer: page }),
  }
}

/**
 * Returns how a visitor arrived, by the first URL change of a batch as it was sent: the campaign, and the referring
 * site.
 */
export function arrivalOf(
  first: { readonly from: string; readonly to: string } | undefined,
  referer: string | undefined,
): Pick<Context, 'utm' | 'referrer'> {
  if (!first) return {}
  const utm = campaignOf(first.to)
  const referrer = [first.from, referer ?? ''].find((url) => isOtherSite(url, first.to))
  return { ...(utm && { utm }), ...(referrer !== undefined && { referrer: pageOf(referrer) }) }
}

function campaignOf(url: string): Record<string, string> | undefined {
  if (!url.includes('utm_')) return undefined
  const parameters = new URLSearchParams(url.slice(url.indexOf('?') + 1).split('#', 1)[0])
  const found = campaignParameters.flatMap((name) => {
    const value = cut(parameters.get(name) ?? '')
    return value ? [[name, value] as const] : []
  })
  return found.length > 0 ? Object.fromEntries(found) : undefined
}

function cut(value: string): string {
  return value.slice(0, VALUE_CHARS_MAX).toWellFormed()
}

/** Returns whether an address is of another site than a page; any site is another one than that of an unknown page. */
export function isOtherSite(url: string, page: string): boolean {
  const host = hostOf(url)
  return host !== undefined && host !== hostOf(page)
}

function hostOf(url: string): string | undefined {
  return /^https?:\/\/([^/?#]+)/i.exec(url)?.[1]?.toLowerCase()
}

import { isIP } from 'node:net'
import { limits, screenClassOf, type ClickId } from '@hopper/contracts'
import type { Supplement, Visitor } from '../batch/incoming.ts'
import { countryCodeOf } from '../geo/geo-database.ts'
import { isOtherSite } from '../source/arrival.ts'
import { languageOf } from '../source/read-source.ts'
import { defined, idText, textOf } from './json-values.ts'

/** The visit that an event belongs to, as a client of another product states it; any value may be of a wrong type. */
export interface StatedVisit {
  readonly userAgent: unknown
  readonly referrer: unknown
  /** address of the page on which the event happened */
  readonly page: unknown
  /** campaign; names begin with `utm_` */
  readonly utm: Readonly<Record<string, unknown>>
  readonly landingPage?: unknown
  readonly clickId?: ClickId | undefined
  readonly language?: unknown
  /** in CSS pixels */
  readonly screenWidth?: unknown
  /** of the visitor in the network */
  readonly address?: unknown
  readonly country?: unknown
  /** second part of an ISO 3166-2 code */
  readonly subdivision?: unknown
}

/** Returns the valid fields of a visit; undefined when there are none. A page of the same site is not a referrer. */
export function visitOf(stated: StatedVisit): Supplement | undefined {
  const from = textOf(stated.referrer)
  const site = textOf(stated.landingPage) ?? textOf(stated.page) ?? ''
  const campaign = defined(
    Object.fromEntries(Object.entries(stated.utm).map(([name, value]) => [name, idText(value)] as const)),
  )
  const visitor = visitorOf(stated)
  const address = textOf(stated.address)
  const visit = defined({
    userAgent: textOf(stated.userAgent),
    referrer: from !== undefined && isOtherSite(from, site) ? from : undefined,
    landing_page: textOf(stated.landingPage),
    click_id: stated.clickId,
    utm: Object.keys(campaign).length > 0 ? campaign : undefined,
    visitor: Object.keys(visitor).length > 0 ? visitor : undefined,
    address: address !== undefined && isIP(address) !== 0 ? address : undefined,
  })
  return Object.keys(visit).length > 0 ? visit : undefined
}

function visitorOf({ language, screenWidth, country, subdivision }: StatedVisit): Visitor {
  const tag = typeof language === 'string' ? languageOf(language) : undefined
  const isWidth = typeof screenWidth === 'number' && screenWidth > 0
  const code = countryCodeOf(country)
  const part = code === undefined ? undefined : textOf(subdivision)
  return {
    ...(tag !== undefined && { language: tag }),
    ...(isWidth && { screen: screenClassOf(screenWidth) }),
    ...(code !== undefined && { country: code }),
    ...(part !== undefined && { region: `${code}-${part}`.slice(0, limits.regionCharsMax).toWellFormed() }),
  }
}

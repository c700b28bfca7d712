import {
  campaignParameters,
  clickIds,
  isObject,
  limits,
  screenClasses,
  Source,
  storableUrl,
  type App,
  type ClickId,
} from '@hopper/contracts'
import type { Changes } from '../repair/changes.ts'
import { repairText } from '../repair/repair-value.ts'
import type { Visitor } from '../batch/incoming.ts'
import { countryCodeOf } from '../geo/geo-database.ts'
import type { StatedArrival } from './arrival.ts'

/** Session and visitor as a body states them. */
export interface StatedSession {
  /** undefined when the body does not say how the session began */
  readonly source: StatedArrival | undefined
  readonly visitor: Visitor
}

const fields: ReadonlySet<string> = new Set(Object.keys(Source.properties))

/**
 * Reads `source`, `language`, `screen`, `country` and `region` of a body. Values without meaning are left out, and
 * recorded as changes.
 */
export function readSession(body: Readonly<Record<string, unknown>>, changes: Changes): StatedSession {
  const { source, language, screen } = body
  const tag = typeof language === 'string' ? languageOf(language) : undefined
  if (tag === undefined && isValue(language)) changes.record('language', 'wrong_type')
  const known = screenClasses.find((name) => name === screen)
  if (known === undefined && isValue(screen)) changes.record('screen', 'wrong_type')
  return {
    source: readSource(source, changes),
    visitor: {
      ...(tag !== undefined && { language: tag }),
      ...(known !== undefined && { screen: known }),
      ...readPlace(body, changes),
    },
  }
}

/** A region has no meaning without its country. */
function readPlace({ country, region }: Readonly<Record<string, unknown>>, changes: Changes): Visitor {
  const code = countryCodeOf(country)
  if (code === undefined && isValue(country)) changes.record('country', 'wrong_type')
  const isNamed = typeof region === 'string' && region !== '' && code !== undefined
  if (!isNamed && isValue(region)) changes.record('region', 'wrong_type')
  return {
    ...(code !== undefined && { country: code }),
    ...(isNamed && { region: repairText(region, limits.regionCharsMax, (reason) => changes.record('region', reason)) }),
  }
}

function readSource(source: unknown, changes: Changes): StatedArrival | undefined {
  if (source === undefined || source === null) return undefined
  if (!isObject(source)) return void changes.record('source', 'wrong_type')
  for (const name in source) if (!fields.has(name)) changes.record(`source.${name}`, 'unknown_field')
  const text = (name: string, charsMax: number): string | undefined => {
    const value = source[name]
    if (typeof value === 'string')
      return value === ''
        ? undefined
        : repairText(value, charsMax, (reason) => changes.record(`source.${name}`, reason))
    if (isValue(value)) changes.record(`source.${name}`, 'wrong_type')
    return undefined
  }
  const referrer = text('referrer', limits.urlCharsMax)
  const landing_page = text('landing_page', limits.urlCharsMax)
  const utm = campaignParameters.flatMap((name) => {
    const value = text(name, limits.campaignCharsMax)
    return value === undefined ? [] : [[name, value] as const]
  })
  const click_id = readClickId(source['click_id'], changes)
  return {
    ...(referrer !== undefined && { referrer }),
    ...(landing_page !== undefined && { landing_page }),
    ...(click_id !== undefined && { click_id }),
    ...(utm.length > 0 && { utm: Object.fromEntries(utm) }),
  }
}

function readClickId(sent: unknown, changes: Changes): ClickId | undefined {
  const known = clickIds.find((name) => name === sent)
  if (known === undefined && isValue(sent) && sent !== '') changes.record('source.click_id', 'wrong_type')
  return known
}

/** A null is recorded where the body is read. */
function isValue(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** Returns a BCP 47 tag in its usual writing (`de-AT`), also of one with underscores; undefined for any other text. */
export function languageOf(text: string): string | undefined {
  if (text === '' || text.length > limits.languageCharsMax) return undefined
  try {
    return Intl.getCanonicalLocales(text.replaceAll('_', '-'))[0]
  } catch {
    // no tag
    return undefined
  }
}

const SOURCE = '"source":'

/**
 * Returns a body that the log can store: without the source, which the context has, if its addresses contain something
 * that must not be stored. Undefined if the source cannot be cut out, because it is not before the events in the form
 * that `JSON.stringify` writes.
 */
export function withoutUnstorable(body: Buffer, source: unknown, app: App): Buffer | undefined {
  const { referrer, landing_page } = (source ?? {}) as Readonly<Record<string, unknown>>
  if (isStorable(referrer) && isStorable(landing_page, app)) return body
  const member = Buffer.from(`${SOURCE}${JSON.stringify(source)},`)
  const index = body.indexOf(member)
  // quotes in a text are escaped, so both are names of members, and the first "events" is that of the body
  if (index < 0 || index > body.indexOf('"events":')) return undefined
  return Buffer.concat([body.subarray(0, index), body.subarray(index + member.length)])
}

function isStorable(url: unknown, app?: App): boolean {
  return typeof url !== 'string' || storableUrl(url, app?.keep_parameters, app?.hash_routing) === url
}

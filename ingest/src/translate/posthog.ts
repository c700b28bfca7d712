import { clickIds, isObject, rejectReasons } from '@hopper/contracts'
import type { TranslatedEvent } from '../batch/batch.ts'
import { Dropped } from '../batch/incoming.ts'
import { defined, idText, objectOf, textOf } from './json-values.ts'
import { personOf, type Person } from './posthog-person.ts'
import { dataOf, traitsOf } from './posthog-properties.ts'
import { visitOf } from './visit.ts'

type Fields = Readonly<Record<string, unknown>>

/** The time of an event that states none: ms since the epoch, by two clocks. */
export interface RequestTimes {
  /** by the sender's clock */
  readonly sentAt?: number | undefined
  readonly receivedAt?: number
}

/** A message and its parts, read once. */
interface Message {
  readonly sent: Fields
  readonly properties: Fields
  readonly person: Person
  readonly distinctId: string | undefined
  readonly url: string | undefined
}

const MS_PER_S = 1_000
const DIRECT = '$direct'
const ENTRY = '$session_entry_'

/** Translates one event of PostHog, as its clients send it and as its exports have it. */
export function posthogEvent(message: unknown, sending: RequestTimes = {}): TranslatedEvent | Dropped {
  if (!isObject(message)) return new Dropped('not_an_object', rejectReasons.not_an_object)
  const properties = objectOf(message['properties'])
  const distinctId = idText(message['distinct_id'] ?? properties['distinct_id'] ?? message['$distinct_id'])
  const name = nameOf(message)
  if (name === undefined)
    return new Dropped('missing_field', 'The required field "event", the name of the event, is missing.')
  if (name === '$snapshot')
    return new Dropped('unknown_type', 'Session recordings are not supported; set disable_session_recording.')
  const person = personOf(distinctId, properties)
  const url = textOf(properties['$current_url'])
  const event = eventOf(name, { sent: message, properties, person, distinctId, url })
  const shared = defined({
    event_id: idText(message['uuid'] ?? properties['$insert_id']),
    session_id: idText(properties['$session_id']),
    timestamp: timeOf(message, properties, sending),
  })
  return { event: { ...shared, ...person, ...event }, supplement: supplementOf(properties, url) }
}

/** Returns the name of an event. `POST /engage/` sets properties of a person without naming an event. */
function nameOf({ event, $set, $set_once }: Fields): string | undefined {
  return idText(event) ?? (isObject($set) || isObject($set_once) ? '$set' : undefined)
}

function eventOf(name: string, message: Message): Fields {
  const { properties, person, url } = message
  if (name === '$pageview' && url !== undefined) return pageview(url, properties)
  if (name === '$identify') return identify(message)
  if (name === '$create_alias') return alias(message)
  if (name === '$set' && person.user_id !== undefined)
    return { type: 'identify', data: traitsOf(message.sent, properties) }
  const set = traitsOf(message.sent, properties)
  const data = dataOf({ ...properties, $set: Object.keys(set).length > 0 ? set : null })
  return { type: 'custom', name, data, ...defined({ current_url: url }) }
}

/**
 * In a single-page application the client knows the page before this one and the time spent there; otherwise only the
 * browser's referrer is known.
 */
function pageview(to: string, properties: Fields): Fields {
  const previous = textOf(properties['$prev_pageview_pathname'])
  const seconds = properties['$prev_pageview_duration']
  const origin = /^https?:\/\/[^/?#]+/i.exec(to)?.[0]
  if (previous !== undefined && origin !== undefined && typeof seconds === 'number')
    return { type: 'url_change', from: origin + previous, to, elapsed_time: Math.round(seconds * MS_PER_S) }
  return { type: 'url_change', from: referrerOf(properties) ?? '', to, elapsed_time: 0 }
}

function identify({ sent, properties, distinctId }: Message): Fields {
  const device = idText(properties['$device_id']) ?? idText(properties['$anon_distinct_id'])
  const data = traitsOf(sent, properties)
  return { type: 'identify', ...defined({ device_id: device, user_id: distinctId }), data }
}

/** The property `alias` is the user where nobody is identified in a browser yet, and the device everywhere else. */
function alias({ properties, person, distinctId }: Message): Fields {
  const other = idText(properties['alias'])
  if (person.user_id === undefined) return { type: 'identify', ...defined({ user_id: other }) }
  return { type: 'identify', ...defined({ device_id: other, user_id: distinctId }) }
}

/**
 * Returns the time of an event by the sender's clock. A browser states how long ago an event was when it was sent first
 * (`offset`), which is wrong when it is sent again; when the event happened is in `$time`, in seconds, unless the page
 * has set the time itself.
 */
function timeOf({ timestamp, offset }: Fields, properties: Fields, { sentAt, receivedAt }: RequestTimes): unknown {
  if (timestamp !== undefined && timestamp !== null) return timestamp
  const seconds = properties['$time']
  if (typeof seconds === 'number' && properties['$event_time_override_provided'] !== true)
    return Math.round(seconds * MS_PER_S)
  const at = sentAt ?? receivedAt
  return typeof offset === 'number' && at !== undefined ? Math.round(at - Math.abs(offset)) : undefined
}

/**
 * The browser states with each event how its session began (`$session_entry_…`), and with a page view what the page
 * has. The former applies to the whole session.
 */
function supplementOf(properties: Fields, url: string | undefined): TranslatedEvent['supplement'] {
  const landingPage = textOf(properties[`${ENTRY}url`])
  const prefix = landingPage === undefined ? '' : ENTRY
  const parameters = Object.entries(properties).flatMap(([name, value]) =>
    name.startsWith(`${prefix}utm_`) ? [[name.slice(prefix.length), value] as const] : [],
  )
  return visitOf({
    userAgent: properties['$raw_user_agent'],
    referrer: landingPage === undefined ? referrerOf(properties) : referrerOf(properties, `${ENTRY}referrer`),
    page: url,
    landingPage,
    utm: Object.fromEntries(parameters),
    clickId: clickIds.find((name) => idText(properties[prefix + name]) !== undefined),
    language: properties['$browser_language'],
    screenWidth: properties['$screen_width'],
    address: properties['$ip'],
    country: properties['$geoip_country_code'],
    subdivision: properties['$geoip_subdivision_1_code'],
  })
}

function referrerOf(properties: Fields, name = '$referrer'): string | undefined {
  const referrer = textOf(properties[name])
  return referrer === DIRECT ? undefined : referrer
}

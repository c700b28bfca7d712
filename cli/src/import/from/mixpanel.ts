import { isObject } from '@hopper/contracts'
import { idText, type OfflineEvent, type Supplement } from '@hopper/ingest'

/** The year 5138 in seconds: larger numbers are ms. */
const SECONDS_MAX = 100_000_000_000
const TEXT_CHARS_MAX = 200
const campaign = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content'] as const

type Properties = Readonly<Record<string, unknown>>

/**
 * Translates a line of Mixpanel's raw export, `{ "event", "properties": { "time", "distinct_id", "$insert_id", … } }`.
 * Properties whose names begin with `$` or `mp_` are Mixpanel's own: those with a meaning here become fields, the
 * others are left out.
 */
export function mixpanelEvent(message: Readonly<Record<string, unknown>>): OfflineEvent {
  const { event: name } = message
  const properties = isObject(message['properties']) ? message['properties'] : {}
  const id = idText(properties['$insert_id'])
  const common = {
    ...(id !== undefined && { event_id: id }),
    timestamp: timeOf(properties['time']),
    ...subjectOf(properties),
  }
  const supplement = supplementOf(properties)
  if (name === '$identify') return { event: { ...common, ...identified(properties), type: 'identify' }, supplement }
  const url = idText(properties['$current_url'])
  if (name === '$mp_web_page_view' && url !== undefined) {
    const from = idText(properties['$referrer'])
    const isLink = from !== undefined && from !== '$direct'
    return { event: { ...common, type: 'url_change', from: isLink ? from : '', to: url, elapsed_time: 0 }, supplement }
  }
  return { event: { ...common, type: 'custom', name, data: dataOf(properties) }, supplement }
}

/**
 * `time` is in seconds. Returns other values than numbers unchanged, so that their events are rejected with a reason.
 */
function timeOf(time: unknown): unknown {
  if (typeof time !== 'number') return time
  return Math.round(Math.abs(time) < SECONDS_MAX ? time * 1_000 : time)
}

/** Projects with Mixpanel's original ID merge send only `distinct_id`, which is then a device. */
function subjectOf(properties: Properties): { device_id?: string; user_id?: string } {
  const [device, user] = [idText(properties['$device_id']), idText(properties['$user_id'])]
  const distinct = idText(properties['distinct_id'])?.replace(/^\$device:/, '')
  const known = device ?? (user === undefined ? distinct : undefined)
  return { ...(known !== undefined && { device_id: known }), ...(user !== undefined && { user_id: user }) }
}

function identified(properties: Properties): { device_id?: string; user_id?: string } {
  const [anonymous, user] = [idText(properties['$anon_id']), idText(properties['$identified_id'])]
  return {
    ...(anonymous !== undefined && { device_id: anonymous.replace(/^\$device:/, '') }),
    ...(user !== undefined && { user_id: user }),
  }
}

function dataOf(properties: Properties): Record<string, unknown> {
  const taken: readonly string[] = ['time', 'distinct_id', ...campaign]
  return Object.fromEntries(
    Object.entries(properties).filter(([name]) => !/^(\$|mp_)/.test(name) && !taken.includes(name)),
  )
}

function supplementOf(properties: Properties): Supplement | undefined {
  const { $browser, $os, $referrer } = properties
  const utm = campaign.flatMap((name) => {
    const value = idText(properties[name])
    return value === undefined ? [] : [[name, value] as const]
  })
  const referrer = idText($referrer)
  const [browser, os] = [idText($browser), idText($os)]
  if (browser === undefined && os === undefined && referrer === undefined && utm.length === 0) return undefined
  return {
    agent: { device: deviceOf(properties), browser: label(browser), os: label(os) },
    ...(referrer !== undefined && { referrer }),
    ...(utm.length > 0 && { utm: Object.fromEntries(utm) }),
  }
}

function deviceOf({ $device, $os }: Properties): NonNullable<Supplement['agent']>['device'] {
  const device = `${idText($device) ?? ''} ${idText($os) ?? ''}`
  if (/ipad|tablet/i.test(device)) return 'tablet'
  if (/iphone|ipod|android|ios|mobile|windows phone|blackberry/i.test(device)) return 'mobile'
  return /mac|windows|linux|chrome os/i.test(device) ? 'desktop' : 'unknown'
}

function label(value = 'unknown'): string {
  return value.slice(0, TEXT_CHARS_MAX).toWellFormed()
}

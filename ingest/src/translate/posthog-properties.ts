import { isObject } from '@hopper/contracts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Properties of PostHog's own that say what happened. The others, of which a browser adds about fifty to each event,
 * say what the envelope's context has (browser, system, address, referrer), or describe the client itself.
 */
const kept: ReadonlySet<string> = new Set([
  '$active_feature_flags',
  '$duration',
  '$elements_chain',
  '$el_text',
  '$event_type',
  '$external_click_url',
  '$groups',
  '$group_key',
  '$group_set',
  '$group_type',
  '$prev_pageview_duration',
  '$prev_pageview_pathname',
  '$screen_name',
  '$set',
])
const keptPrefixes = [
  '$ai_',
  '$exception_',
  '$feature/',
  '$feature_flag',
  '$prev_pageview_max_',
  '$survey_',
  '$web_vitals_',
]
/** Properties that are stored elsewhere than in `data`. */
const elsewhere: ReadonlySet<string> = new Set(['token', 'distinct_id'])

/**
 * Returns the `data` of an event: first the sender's own properties, then those of PostHog that are kept, as `data`
 * takes its first keys when there are too many. Nulls are left out: the browser sends one for each campaign parameter
 * that its page does not have.
 */
export function dataOf(properties: Fields): Fields {
  const entries = Object.entries(properties).filter(
    ([name, value]) => value !== null && !elsewhere.has(name) && !name.startsWith('utm_'),
  )
  const isOwn = ([name]: readonly [string, unknown]): boolean => !name.startsWith('$')
  const isKept = ([name]: readonly [string, unknown]): boolean =>
    kept.has(name) || keptPrefixes.some((prefix) => name.startsWith(prefix))
  return Object.fromEntries([...entries.filter(isOwn), ...entries.filter(isKept)])
}

/**
 * Returns the traits that an event sets: `$set`, and those that only `$set_once` has. The first address and campaign of
 * a person, which PostHog sets once under `$initial_…`, are not traits: the events themselves contain them.
 */
export function traitsOf(message: Fields, properties: Fields): Fields {
  const sets = [properties['$set_once'], message['$set_once'], properties['$set'], message['$set']].filter(isObject)
  const all = sets.reduce<Fields>((before, set) => ({ ...before, ...set }), {})
  return Object.fromEntries(Object.entries(all).filter(([name, value]) => !name.startsWith('$') && value !== null))
}

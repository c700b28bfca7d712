import type { Filter } from '../queries/filter.ts'

// This file has no schemas, so that the dashboard need not load the schema library for it.

/** Pages of the dashboard that can be shared: none shows people, single events or settings. */
export const sharedPages = ['overview', 'funnel', 'elements', 'journeys', 'explore'] as const
export type SharedPage = (typeof sharedPages)[number]

/** Forms in which a shared question is shown. Events themselves are not shared. */
export const sharedForms = ['table', 'line', 'bar', 'retention'] as const

/** Keys by which a shared funnel or question may be broken down: all of them are about a visit, none about a person. */
export const sharedBreakdowns = [
  'device',
  'browser',
  'os',
  'country',
  'region',
  'language',
  'channel',
  'referrer',
  'utm_source',
  'utm_medium',
  'utm_campaign',
  'landing_page',
  'page',
] as const

/** Keys whose values are people, devices, sessions or single events. */
const identifyingKeys = /^(data\.)?(person|user|user_id|device_id|session_id|event_id|message_id|click_id)$/

/** Returns whether a condition on this key is about somebody in particular. */
export function isIdentifyingKey(key: string): boolean {
  return identifyingKeys.test(key) || key.startsWith('trait.') || key.startsWith('property.')
}

/** Holds for every event. Robots are left out of an answer unless a filter asks for them, which this one does. */
export const SHOW_ROBOTS: Filter = {
  type: 'or',
  filters: [
    { type: 'all', key: 'bot' },
    { type: 'not', filter: { type: 'all', key: 'bot' } },
  ],
}

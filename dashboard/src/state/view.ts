import { isDate, presets, type Preset, type RangeChoice } from './date-range.ts'

export const pages = ['overview', 'funnel', 'elements', 'settings', 'status'] as const
export type Page = (typeof pages)[number]
export type CountBy = 'person' | 'device'

/** The view: all of it is in the URL, so a link shows the same. */
export interface View {
  readonly page: Page
  /** default: the first app that the member may see */
  readonly app?: string
  readonly range: RangeChoice
  /** default: the first funnel of the app */
  readonly funnel?: string
  readonly countBy: CountBy
}

export const defaultRange: RangeChoice = { preset: '7d' }

/** Parses a URL; invalid values become the defaults. */
export function readView(address: { pathname: string; search: string }): View {
  const name = address.pathname.replace(/^\/|\/$/g, '')
  const parameters = new URLSearchParams(address.search)
  const app = parameters.get('app')
  const funnel = parameters.get('funnel')
  return {
    page: pages.find((page) => page === name) ?? 'overview',
    range: readRange(parameters.get('range') ?? ''),
    countBy: parameters.get('count_by') === 'device' ? 'device' : 'person',
    ...(app ? { app } : {}),
    ...(funnel ? { funnel } : {}),
  }
}

/** Builds the URL of a view; defaults are omitted. */
export function addressOf(view: View): string {
  const parameters = new URLSearchParams()
  if (view.app) parameters.set('app', view.app)
  const range = rangeText(view.range)
  if (range !== rangeText(defaultRange)) parameters.set('range', range)
  if (view.funnel) parameters.set('funnel', view.funnel)
  if (view.countBy === 'device') parameters.set('count_by', 'device')
  const query = parameters.toString()
  return `/${view.page === 'overview' ? '' : view.page}${query === '' ? '' : `?${query}`}`
}

export function readRange(text: string): RangeChoice {
  const preset = presets.find((name) => name === text) satisfies Preset | undefined
  if (preset) return { preset }
  const [from = '', to = '', ...rest] = text.split('..')
  return rest.length === 0 && isDate(from) && isDate(to) && from <= to ? { from, to } : defaultRange
}

export function rangeText(range: RangeChoice): string {
  return 'preset' in range ? range.preset : `${range.from}..${range.to}`
}

import type { DropCause } from '@hopper/contracts'
import { isDate } from './date-range.ts'

/** Causes of dropping out; the type fails to compile when the API gets a new one. */
export const causes = Object.keys({
  never: 0,
  open: 0,
  before: 0,
  late: 0,
  excluded: 0,
  mismatch: 0,
} satisfies Record<DropCause, 0>) as readonly DropCause[]
export const units = ['person', 'device', 'session'] as const
export type Unit = (typeof units)[number]
export const panelTabs = ['people', 'instead', 'differences', 'hesitation', 'definition'] as const
export const peopleOrders = ['last_seen', 'first_seen', 'events'] as const
export type PeopleOrder = (typeof peopleOrders)[number]
export const senders = ['people', 'robots'] as const
export type Sender = (typeof senders)[number]
export type PanelTab = (typeof panelTabs)[number]

/**
 * The state of the view apart from the path of the page. All of it is in the address, so that a link, a reload and
 * another member show the same. A missing parameter has its default. Parameters that a page cannot read stay as texts,
 * so that the page can say so.
 */
export interface Search {
  /** `7d`, or two dates as `2026-01-01..2026-01-31` */
  readonly range?: string
  /** the period to compare with: `previous`, `year`, or two dates */
  readonly vs?: string
  /** filter chips, `device:mobile` */
  readonly f?: readonly string[]
  readonly unit?: Unit
  /** robots are hidden if missing */
  readonly robots?: 'shown'
  /** the key to break down by */
  readonly by?: string
  /** the stage whose panel is open, from 1 */
  readonly stage?: number
  /** outcome that the panel shows of the stage */
  readonly show?: 'reached' | 'lost'
  readonly cause?: DropCause
  readonly tab?: PanelTab
  readonly view?: 'table'
  /** only the people of this value of `by`, in the panel */
  readonly value?: string
  /** the person of a list whose events are shown */
  readonly who?: string
  /** text searched for in a list */
  readonly q?: string
  /** the place at which journeys start */
  readonly start?: string
  /** the place at which journeys end */
  readonly end?: string
  /** number of places of a journey */
  readonly depth?: number
  /** what a place of a journey is; pages in groups if missing */
  readonly places?: 'each' | 'events'
  /** the ends of the link of a journey whose panel is open */
  readonly link?: readonly string[]
  /** the place of journeys whose panel is open */
  readonly node?: string
  /** pages and clicks that a new funnel begins with, or that are added to a funnel */
  readonly with?: readonly string[]
  /** the events that are explored, `type:click`; all if missing */
  readonly what?: string
  /** how the answer is shown; a table if missing */
  readonly as?: Exclude<ExploreForm, 'table'>
  /** columns of the events that are shown */
  readonly cols?: readonly string[]
  /** the events with which people come back, like `what` */
  readonly again?: string
  /** the periods in which people come back; weeks if missing */
  readonly each?: 'day'
  /** the funnel by which elements are grouped, the first of the app if missing; the one that a new funnel copies */
  readonly funnel?: string
  /** XPath of the element whose hovers are shown */
  readonly element?: string
  /** order of a list of people */
  readonly order?: PeopleOrder
  /** id of the request to forget a person whose certificate is shown */
  readonly forget?: string
  /** kind of event that is shown while events come in */
  readonly kind?: string
  /** whose events are shown while they come in; everybody's if missing */
  readonly sender?: Sender
  /** id of the event whose receipt is shown */
  readonly event?: string
  /** the date of that event */
  readonly on?: string
}

export const exploreForms = ['table', 'line', 'bar', 'events', 'retention'] as const
export type ExploreForm = (typeof exploreForms)[number]

export const JOURNEY_DEPTH = { min: 2, default: 5, max: 8 } as const

/** Names of the parameters of a page that do not belong to other pages, so that a link there leaves them out. */
const ofOnePage = [
  ...(['by', 'stage', 'show', 'cause', 'tab', 'view', 'value', 'who', 'q'] as const),
  ...(['start', 'end', 'depth', 'places', 'link', 'node', 'with'] as const),
  ...(['what', 'as', 'cols', 'again', 'each'] as const),
  ...(['funnel', 'element', 'order', 'forget', 'kind', 'sender', 'event', 'on'] as const),
] satisfies (keyof Search)[]

/** Reads the parameters of an address; unknown ones are left out. */
export function readSearch(raw: Readonly<Record<string, unknown>>): Search {
  const anyText = (name: string): string | undefined => {
    const value = raw[name]
    return typeof value === 'string' ? value : undefined
  }
  const text = (name: string): string | undefined => {
    const value = anyText(name)
    return value === '' ? undefined : value
  }
  const one = <T extends string>(name: string, values: readonly T[]): T | undefined =>
    values.find((value) => value === text(name))
  const list = (name: string): readonly string[] | undefined => {
    const texts = [raw[name] ?? []].flat().filter((value): value is string => typeof value === 'string')
    return texts.length === 0 ? undefined : texts
  }
  const whole = (name: string, min: number, max: number): number | undefined => {
    const number = Number(text(name))
    return Number.isInteger(number) && number >= min && number <= max ? number : undefined
  }
  const link = list('link')
  const on = text('on')
  return defined({
    range: text('range'),
    vs: text('vs'),
    f: list('f'),
    unit: one('unit', units),
    robots: one('robots', ['shown']),
    by: text('by'),
    stage: whole('stage', 1, Infinity),
    show: one('show', ['reached', 'lost']),
    cause: one('cause', causes),
    tab: one('tab', panelTabs),
    view: one('view', ['table']),
    value: anyText('value'),
    who: text('who'),
    q: text('q'),
    start: text('start'),
    end: text('end'),
    depth: whole('depth', JOURNEY_DEPTH.min, JOURNEY_DEPTH.max),
    places: one('places', ['each', 'events']),
    link: link?.length === 2 ? link : undefined,
    node: text('node'),
    with: list('with'),
    what: text('what'),
    as: one('as', ['line', 'bar', 'events', 'retention']),
    cols: list('cols'),
    again: text('again'),
    each: one('each', ['day']),
    funnel: text('funnel'),
    element: text('element'),
    order: one('order', peopleOrders),
    forget: text('forget'),
    kind: text('kind'),
    sender: one('sender', senders),
    event: text('event'),
    on: on !== undefined && isDate(on) ? on : undefined,
  })
}

/** Applies a change; a part that becomes undefined gets its default. */
export function withSearch(
  search: Search,
  change: { readonly [Name in keyof Search]?: Search[Name] | undefined },
): Search {
  return defined({ ...search, ...change })
}

/** Returns what a link to another page keeps: range, comparison, filters, robots and unit. */
export function sharedSearch(search: Search): Search {
  return withSearch(search, Object.fromEntries(ofOnePage.map((name) => [name, undefined])))
}

/** Parses the query of an address into texts and lists of texts. */
export function parseQuery(query: string): Record<string, string | string[]> {
  const parameters = new URLSearchParams(query)
  const parsed: Record<string, string | string[]> = {}
  for (const name of new Set(parameters.keys())) {
    const values = parameters.getAll(name)
    parsed[name] = values.length === 1 ? values[0]! : values
  }
  return parsed
}

/** Formats the query of an address; characters that need no escape there stay readable. */
export function formatQuery(search: Readonly<Record<string, unknown>>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(search))
    for (const one of [value].flat())
      if (typeof one === 'string' || typeof one === 'number') parameters.append(name, String(one))
  const query = parameters.toString().replace(/%3A/g, ':').replace(/%2F/g, '/').replace(/%21/g, '!')
  return query === '' ? '' : `?${query}`
}

function defined(search: { readonly [Name in keyof Search]: Search[Name] | undefined }): Search {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined))
}

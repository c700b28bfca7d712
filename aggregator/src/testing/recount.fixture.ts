import type { App, Envelope, Event } from '@hopper/contracts'

/** Envelope with its position in the lane. */
export interface Placed {
  readonly position: number
  readonly envelope: Envelope
}

/** All rows of an app's tables, keyed by `table`, `date` and `key…` joined by bars. */
export interface Recount {
  readonly counters: Record<string, readonly number[]>
  readonly persons: Record<string, number>
  readonly devices: Record<string, number>
}

interface Visit {
  readonly row: string
  readonly user: string
  readonly device: string
}

const QUARTER_MS = 900_000
const WEEK_MS = 7 * 86_400_000

/**
 * Recounts one lane's log for one app, plainly and from the text of the design: it uses no fold, judge, calendar,
 * bucket or URL code of Hopper. `log` is ordered by position and contains each message once.
 */
export function recount(app: App, log: readonly Placed[]): Recount {
  const counters: Record<string, number[]> = {}
  const visits: Visit[] = []
  const seen = new Set<string>()
  const user = new Map<string, string>()
  const firstUser = new Map<string, string>()
  const add = (row: readonly unknown[], values: readonly number[]): void => {
    const sums = (counters[row.join('|')] ??= values.map(() => 0))
    values.forEach((value, index) => (sums[index]! += value))
  }
  for (const { envelope } of log) {
    if (envelope.app !== app.id) continue
    const { device_id: device, received_at, context } = envelope
    const fate = (name: string, reason: string): void => add(['fates_by_date', utcDate(received_at), name, reason], [1])
    for (const { reason } of envelope.rejected ?? []) fate('rejected', reason)
    for (const event of envelope.events) {
      const id = `${utcDate(event.client_time ?? event.timestamp)} ${event.event_id}`
      if (seen.has(id)) {
        fate('duplicate', 'repeated_id')
        continue
      }
      seen.add(id)
      if (event.user_id !== undefined) {
        user.set(device, event.user_id)
        if (!firstUser.has(device)) firstUser.set(device, event.user_id)
      }
      if (context.bot) {
        fate('bot', context.bot)
        continue
      }
      const isOverdue = received_at > dateEnd(event.timestamp, app.timezone) + WEEK_MS
      if (!isOverdue) fate('accepted', 'new')
      else if (context.historical) fate('accepted', 'historical')
      else fate('late', 'after_settled')
      const date = localDate(event.timestamp, app.timezone)
      const hour = hourOfDate(event.timestamp, app.timezone)
      const visit = (table: string, ...key: unknown[]): void =>
        void visits.push({ row: [table, date, ...key].join('|'), user: user.get(device) ?? '', device })
      visit('users_by_date', hour)
      visit('users_by_date', -1)
      for (const kind of ['device', 'browser', 'os', 'country'] as const)
        if (context[kind]) visit('agents_by_date', kind, context[kind])
      const pageOfUrl = (url: string): string => page(url, app.keep_parameters)
      const isView = event.type === 'url_change' && event.to !== '' && pageOfUrl(event.to) !== pageOfUrl(event.from)
      // a sampled event stands for `samplerate` events
      const weighted = (row: readonly unknown[], values: readonly number[]): void =>
        add(
          row,
          values.map((value) => value * (event.samplerate ?? 1)),
        )
      weighted(['activity_by_date', date, hour], [1, isView ? 1 : 0])
      recountKind(
        event,
        context,
        pageOfUrl,
        (table, ...key) =>
          (values) =>
            weighted([table, date, ...key], values),
        visit,
      )
    }
  }
  const person = (visit: Visit): string =>
    `user ${visit.user || firstUser.get(visit.device)}`.replace(/^user undefined$/, `device ${visit.device}`)
  return { counters, persons: distinct(visits, person), devices: distinct(visits, ({ device }) => device) }
}

function recountKind(
  event: Event,
  { device }: Envelope['context'],
  pageOfUrl: (url: string) => string,
  count: (table: string, ...key: unknown[]) => (values: readonly number[]) => void,
  visit: (table: string, ...key: unknown[]) => void,
): void {
  if (event.type === 'click')
    count('clicks_by_date', pageOfUrl(event.current_url), event.target)([1, event.elapsed_time])
  if (event.type === 'url_change') {
    const [from, to] = [pageOfUrl(event.from), pageOfUrl(event.to)]
    if (to !== '' && to !== from) count('page_views_by_date', to)([1, 0, 0])
    const [host, other] = [to, from].map((page) => page.split('/')[0]!)
    const untimed = event.elapsed_time === 0 && (to === from || (host !== '' && other !== '' && host !== other))
    if (from !== '' && !untimed) count('page_views_by_date', from)([0, event.elapsed_time, to === from ? 0 : 1])
  }
  const isFinger =
    event.type === 'btn_time' &&
    (event.pointer === undefined ? device === 'mobile' || device === 'tablet' : event.pointer !== 'mouse')
  if (event.type === 'btn_time' && !isFinger) {
    const leave = event.action === 'hover-then-leave'
    count(
      'element_actions_by_date',
      event.target,
    )(leave ? [1, event.elapsed_time, 0, 0, 1] : [0, 0, 1, event.elapsed_time, 1])
    count('element_durations_by_date', event.target, event.action, bucket(event.elapsed_time))([1])
  }
  if (event.type === 'funnel_change') {
    visit('stage_users_by_date', event.funnel, event.entered)
    visit('stage_edges_by_date', event.funnel, event.from ?? -1, event.entered)
    if (event.from !== undefined) count('stage_time_by_date', event.funnel, event.from)([event.elapsed_time, 1])
  }
}

function distinct(visits: readonly Visit[], nameOf: (visit: Visit) => string): Record<string, number> {
  const sets: Record<string, Set<string>> = {}
  for (const visit of visits) (sets[visit.row] ??= new Set()).add(nameOf(visit))
  return Object.fromEntries(Object.entries(sets).map(([row, set]) => [row, set.size]))
}

function utcDate(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

const dates = new Map<string, string>()

function localDate(at: number, timeZone: string): string {
  const quarter = Math.floor(at / QUARTER_MS) * QUARTER_MS
  const key = `${timeZone} ${quarter}`
  if (!dates.has(key))
    dates.set(key, new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(quarter))
  return dates.get(key)!
}

/** Walks back to the first quarter of an hour of the date, and counts the whole hours from there. */
function hourOfDate(at: number, timeZone: string): number {
  const date = localDate(at, timeZone)
  let start = Math.floor(at / QUARTER_MS) * QUARTER_MS
  while (localDate(start - QUARTER_MS, timeZone) === date) start -= QUARTER_MS
  return Math.floor((at - start) / 3_600_000)
}

/** Walks forward to the first quarter of an hour of another date. */
function dateEnd(at: number, timeZone: string): number {
  const date = localDate(at, timeZone)
  let end = Math.floor(at / QUARTER_MS) * QUARTER_MS
  while (localDate(end, timeZone) === date) end += QUARTER_MS
  return end
}

/** Returns the page of a plain ASCII URL: host and path without a trailing slash, and the kept parameters, by name. */
function page(url: string, keep: readonly string[]): string {
  const [, host = '', path = '', query = ''] = /^(?:https:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?/.exec(url)!
  const kept = query
    .split('&')
    .filter((pair) => keep.includes(pair.split('=')[0]!))
    .sort()
  return host + (path.length > 1 ? path.replace(/\/$/, '') : path) + (kept.length > 0 ? `?${kept.join('&')}` : '')
}

/**
 * Returns the bucket of a duration, four per doubling: the largest b with ceil(2^(b/4)) <= ms; 0 and 1 ms share the
 * first.
 */
function bucket(ms: number): number {
  let b = 0
  while (ms > 1 && Math.ceil(2 ** ((b + 1) / 4)) <= ms) b++
  return b
}

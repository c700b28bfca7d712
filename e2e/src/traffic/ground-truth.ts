import type { RandomEvent, RandomRequest } from './random-traffic.ts'

/** Every row that the tables must contain, by `table date key…`, with the values joined by a space. */
export interface GroundTruth {
  readonly counters: ReadonlyMap<string, readonly number[]>
  /** distinct persons and distinct devices of each row */
  readonly persons: ReadonlyMap<string, number>
  readonly devices: ReadonlyMap<string, number>
  readonly fates: Readonly<Record<'accepted' | 'late' | 'bot', number>>
}

const LATE_MS = 7 * 86_400_000

/**
 * Counts traffic in a simple way, independently of Hopper: it uses none of its folds, calendars or URL code.
 * `requests` are by device, in the order of the log, with each event once.
 */
export function groundTruth(
  traffic: readonly (readonly RandomRequest[])[],
  timezone: string,
  now: number,
): GroundTruth {
  const counters = new Map<string, number[]>()
  const visits: { row: string; user: string; device: string }[] = []
  const firstUser = new Map<string, string>()
  const fates = { accepted: 0, late: 0, bot: 0 }
  const calendar = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'medium' })

  const add = (row: unknown[], values: number[]): void => {
    const key = row.join(' ')
    const sums = counters.get(key) ?? values.map(() => 0)
    counters.set(
      key,
      sums.map((sum, index) => sum + values[index]!),
    )
  }
  for (const requests of traffic) {
    let user = ''
    for (const { device, agent, events } of requests) {
      for (const event of events) {
        if (agent.bot) {
          fates.bot++
          continue
        }
        const [date, clock] = calendar.format(event.timestamp).split(' ') as [string, string]
        fates[isLate(event.timestamp, now) ? 'late' : 'accepted']++
        if (typeof event.user_id === 'string') {
          user = event.user_id
          if (!firstUser.has(device)) firstUser.set(device, user)
        }
        const visit = (...row: unknown[]): void =>
          void visits.push({ row: [row[0], date, ...row.slice(1)].join(' '), user, device })
        // The days of this traffic have no clock changes, so the hour can be read from the clock.
        const hour = Number(clock.slice(0, 2))
        visit('users_by_date', hour)
        visit('users_by_date', -1)
        for (const kind of ['device', 'browser', 'os'] as const) visit('agents_by_date', kind, agent[kind])
        add(
          ['activity_by_date', date, hour],
          [1, event.type === 'url_change' && page(event.from) !== page(event.to) ? 1 : 0],
        )
        countEvent(event, agent.device, date, add, visit)
      }
    }
  }
  const person = ({ user, device }: { user: string; device: string }): string => {
    const known = user || firstUser.get(device)
    return known ? `user ${known}` : `device ${device}`
  }
  return { counters, fates, persons: distinct(visits, person), devices: distinct(visits, ({ device }) => device) }
}

function countEvent(
  event: RandomEvent,
  kind: string,
  date: string,
  add: (row: unknown[], values: number[]) => void,
  visit: (...row: unknown[]) => void,
): void {
  const elapsed = event.elapsed_time as number
  if (event.type === 'click') add(['clicks_by_date', date, page(event.current_url), event.target], [1, elapsed])
  if (event.type === 'url_change') {
    // a move that stays on its page is not a view, and does not leave the page
    const stays = page(event.from) === page(event.to)
    if (!stays) add(['page_views_by_date', date, page(event.to)], [1, 0, 0])
    if (event.from !== '' && !(stays && elapsed === 0))
      add(['page_views_by_date', date, page(event.from)], [0, elapsed, stays ? 0 : 1])
  }
  // this traffic names no pointer: on a phone or tablet it is a finger, which does not hesitate
  if (event.type === 'btn_time' && kind !== 'mobile' && kind !== 'tablet') {
    add(
      ['element_actions_by_date', date, event.target],
      event.action === 'hover-then-leave' ? [1, elapsed, 0, 0, 1] : [0, 0, 1, elapsed, 1],
    )
    add(['element_durations_by_date', date, event.target, event.action, bucket(elapsed)], [1])
  }
  if (event.type === 'funnel_change') {
    visit('stage_users_by_date', event.funnel, event.entered)
    visit('stage_edges_by_date', event.funnel, event.from ?? -1, event.entered)
    if (event.from !== undefined) add(['stage_time_by_date', date, event.funnel, event.from], [elapsed, 1])
  }
}

function distinct<V extends { row: string }>(visits: readonly V[], nameOf: (visit: V) => string): Map<string, number> {
  const sets = new Map<string, Set<string>>()
  for (const visit of visits) sets.set(visit.row, (sets.get(visit.row) ?? new Set()).add(nameOf(visit)))
  return new Map([...sets].map(([row, set]) => [row, set.size]))
}

/** The pages of this traffic are absolute, with at most a query and a fragment. */
function page(url: unknown): string {
  return String(url)
    .replace('https://', '')
    .replace(/[?#].*$/, '')
}

/** Four buckets per doubling: the largest b with ceil(2^(b/4)) <= ms. */
function bucket(ms: number): number {
  if (ms <= 1) return 0
  let b = 0
  while (Math.ceil(2 ** ((b + 1) / 4)) <= ms) b++
  return b
}

/** Ages in this traffic are at most 5 days or 20 days: far from the limit of 7 days after the end of the date. */
function isLate(timestamp: number, now: number): boolean {
  return now - timestamp > LATE_MS + 3 * 86_400_000
}

import { Inject, Injectable } from '@nestjs/common'
import { shiftDate, type Agents, type App, type Clicks, type PageViews, type Traffic } from '@hopper/contracts'
import type { TableReader } from '@hopper/storage'
import type { AgentsParameters, RangeParameters, TrafficParameters } from '../answers/report-parameters.ts'
import type { DateRange } from '../answers/date-range.ts'
import { compareTexts, keepLargest, keepNewest, ratio, sumBy } from '../answers/rows.ts'
import { READER } from '../tokens.ts'
import { AnswerService } from './answer.service.ts'

const HOUR_MS = 3_600_000

/** Reports on visits: pages, clicks, agents, traffic over time. */
@Injectable()
export class TrafficService {
  private readonly reader: TableReader
  private readonly answers: AnswerService

  constructor(@Inject(READER) reader: TableReader, @Inject(AnswerService) answers: AnswerService) {
    this.reader = reader
    this.answers = answers
  }

  async pages(app: App, parameters: RangeParameters): Promise<PageViews> {
    const { dates, meta } = await this.answers.open(app, parameters)
    const sums = sumBy(await this.reader.counters('page_views_by_date', app.id, dates), ({ key }) => key)
    const pages = sums.map(({ key, counters: [views = 0, elapsed = 0, left = 0] }) => ({
      url: String(key[0]),
      views,
      average_seconds: ratio(elapsed / 1000, left),
    }))
    // a page that was only left in this range has no views in it and may not belong to the app
    const rows = pages.filter(({ views }) => views > 0)
    return keepLargest(
      rows.sort((a, b) => b.views - a.views || compareTexts(a.url, b.url)),
      meta,
    )
  }

  async clicks(app: App, parameters: RangeParameters): Promise<Clicks> {
    const { dates, meta } = await this.answers.open(app, parameters)
    const sums = sumBy(await this.reader.counters('clicks_by_date', app.id, dates), ({ key }) => key)
    const rows = sums.map(({ key, counters: [hits = 0, elapsed = 0] }) => ({
      url: String(key[0]),
      target: String(key[1]),
      hits,
      average_ms: ratio(elapsed, hits),
    }))
    return keepLargest(
      rows.sort((a, b) => b.hits - a.hits || compareTexts(a.url, b.url) || compareTexts(a.target, b.target)),
      meta,
    )
  }

  /** A user with two browsers counts once for each, so shares may add up to more than 1. */
  async agents(app: App, parameters: AgentsParameters): Promise<Agents> {
    const { dates, meta } = await this.answers.open(app, parameters)
    const scope = { app: app.id, dates, countBy: parameters.count_by ?? 'person' } as const
    const [all, counted] = await Promise.all([
      this.reader.uniques({ ...scope, table: 'users_by_date', prefix: [], groupBy: [] }),
      this.reader.uniques({ ...scope, table: 'agents_by_date', prefix: [parameters.by], groupBy: ['value'] }),
    ])
    const total = all[0]?.users ?? 0
    const rows = counted.map(({ group, users }) => ({ value: String(group[0]), users, share: ratio(users, total) }))
    return {
      total_users: total,
      ...keepLargest(
        rows.sort((a, b) => b.users - a.users || compareTexts(a.value, b.value)),
        meta,
      ),
    }
  }

  /** One row per hour or date of the range, including those without events. */
  async traffic(app: App, parameters: TrafficParameters): Promise<Traffic> {
    const range = await this.answers.open(app, parameters)
    const { dates, meta } = range
    const byHour = parameters.by === 'hour'
    const groupBy = byHour ? ['date', 'hour'] : ['date']
    const [counted, visitors] = await Promise.all([
      this.reader.counters('activity_by_date', app.id, dates),
      this.reader.uniques({
        table: 'users_by_date',
        app: app.id,
        dates,
        prefix: [],
        groupBy,
        countBy: parameters.count_by ?? 'person',
      }),
    ])
    const sums = sumBy(counted, ({ date, key }) => (byHour ? [date, key[0]!] : [date]))
    const counters = new Map(sums.map((sum) => [sum.key.join(' '), sum.counters]))
    const users = new Map(visitors.map((row) => [row.group.join(' '), row.users]))
    const rows = (byHour ? hoursOf(range) : daysOf(range)).map(({ group, at }) => {
      const [events = 0, views = 0] = counters.get(group) ?? []
      return { time: new Date(at).toISOString(), events, views, users: users.get(group) ?? 0 }
    })
    return keepNewest(rows, meta)
  }
}

function daysOf({ dates, zone }: DateRange): { group: string; at: number }[] {
  return dates.map((date) => ({ group: date, at: zone.startOf(date) }))
}

/** Lists the hours of a range; a date with a clock change has 23 or 25. */
function hoursOf({ dates, zone }: DateRange): { group: string; at: number }[] {
  return dates.flatMap((date) => {
    const start = zone.startOf(date)
    const hours = Math.ceil((zone.startOf(shiftDate(date, 1)) - start) / HOUR_MS)
    return Array.from({ length: hours }, (_, hour) => ({ group: `${date} ${hour}`, at: start + hour * HOUR_MS }))
  })
}

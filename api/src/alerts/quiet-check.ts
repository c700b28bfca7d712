import { Inject, Injectable } from '@nestjs/common'
import { timeZone, type App, type ChunkSummary, type QuietRule } from '@hopper/contracts'
import { EncodedAnswer } from '../http/csv/encoded-answer.ts'
import { ArchiveQueries } from '../query/archive-queries.ts'
import { QueryService } from '../services/query.service.ts'
import { countOf, type CheckResult, type Message } from './check.ts'
import { clientOf } from './funnel-questions.ts'

const MINUTE_MS = 60_000
const PAGE = 'live'

interface Counted {
  readonly data: readonly { readonly count: number }[]
}

/** Checks whether an app has had no events for a while. */
@Injectable()
export class QuietCheck {
  private readonly archived: ArchiveQueries
  private readonly queries: QueryService

  constructor(@Inject(ArchiveQueries) archived: ArchiveQueries, @Inject(QueryService) queries: QueryService) {
    this.archived = archived
    this.queries = queries
  }

  /**
   * Looks at the minutes before `completeTo`: what was received later may not be counted yet. Claims nothing while that
   * instant is older than these minutes, since then Hopper itself is late.
   */
  async check(
    app: App,
    { minutes, hours }: QuietRule,
    completeTo: number,
    now: number,
    signal: AbortSignal,
  ): Promise<CheckResult> {
    const [from, to] = [completeTo - minutes * MINUTE_MS, completeTo]
    if (now - completeTo > minutes * MINUTE_MS)
      return { check: 'behind', detail: 'Events wait to be counted for longer than the rule allows.' }
    const message = messageOf(app, minutes, from)
    if (await this.hasEvents(app, from, to, signal))
      return {
        check: 'ok',
        detail: `There were events in the last ${countOf(minutes)} minutes.`,
        message: message.back,
      }
    if (hours && !isWithin(app, from, to, hours))
      return { check: 'paused', detail: 'Outside of the hours of the rule.' }
    return { check: 'firing', detail: `No events for ${countOf(minutes)} minutes.`, message: message.quiet }
  }

  /** Looks at the summaries of chunks first: most of the time they say that there are events. */
  private async hasEvents(app: App, from: number, to: number, signal: AbortSignal): Promise<boolean> {
    const chunks = (await this.archived.list({ app: app.id, from, to })).filter(
      ({ min_time, max_time }) => min_time < to && max_time >= from,
    )
    if (chunks.length === 0) return false
    // Events of bots are archived, too, but do not count.
    const isWithoutBots = ({ columns }: ChunkSummary): boolean => !Object.hasOwn(columns, 'bot')
    if (chunks.some((chunk) => isWithoutBots(chunk) && (chunk.max_time < to || chunk.min_time >= from))) return true
    const query = { start: from, end: to, data: [{ name: 'events', filters: [] }] }
    const answer = await this.queries.events(app, query, clientOf(signal))
    const { data } = answer instanceof EncodedAnswer ? (JSON.parse(answer.toBuffer().toString()) as Counted) : answer
    return data.some(({ count }) => count > 0)
  }
}

/** True if a time is completely within the hours of one local date. */
function isWithin(app: App, from: number, to: number, hours: NonNullable<QuietRule['hours']>): boolean {
  const zone = timeZone(app.timezone)
  const date = zone.dateOf(to)
  const hourOf = (at: number): number => {
    const parts = new Intl.DateTimeFormat('en-GB', {
      timeZone: app.timezone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    }).formatToParts(at)
    const part = (type: string): number => Number(parts.find((each) => each.type === type)?.value)
    return part('hour') + part('minute') / 60
  }
  return zone.dateOf(from) === date && hourOf(from) >= hours.from && hourOf(to) <= hours.to
}

function messageOf(app: App, minutes: number, since: number): { quiet: Message; back: Message } {
  const details = { minutes, since: new Date(since).toISOString() }
  return {
    quiet: {
      title: `${app.name}: no events for ${countOf(minutes)} minutes`,
      lines: [
        `Hopper has counted no event of ${app.name} since ${details.since}.`,
        'Either nobody came, or the tag of the site does not work.',
      ],
      details,
      page: PAGE,
    },
    back: {
      title: `${app.name}: events arrive again`,
      lines: [`There were events of ${app.name} in the last ${countOf(minutes)} minutes.`],
      details: { minutes },
      page: PAGE,
    },
  }
}

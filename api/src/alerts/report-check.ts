import { Inject, Injectable } from '@nestjs/common'
import {
  compareProportions,
  fallDefaults,
  shiftDate,
  timeZone,
  type App,
  type Funnel,
  type Proportion,
  type ReportRule,
} from '@hopper/contracts'
import { FunnelsService } from '../services/administration/funnels.service.ts'
import { TrafficService } from '../services/traffic.service.ts'
import { countOf, percentOf, pointsOf, type CheckResult } from './check.ts'
import { FunnelQuestions } from './funnel-questions.ts'
import { mondayOf, weeksBefore, type Period } from './periods.ts'

const HOUR_MS = 3_600_000
const REPORT_HOUR = 8
const FUNNELS_MAX = 20

interface Week {
  readonly events: number
  readonly people: number
}

interface FunnelWeek {
  readonly id: string
  readonly name: string
  readonly now: Proportion
  readonly before: Proportion
  /** people who may still finish */
  readonly open: number
}

/** Writes the report of a week. */
@Injectable()
export class ReportCheck {
  private readonly questions: FunnelQuestions
  private readonly funnels: FunnelsService
  private readonly traffic: TrafficService

  constructor(
    @Inject(FunnelQuestions) questions: FunnelQuestions,
    @Inject(FunnelsService) funnels: FunnelsService,
    @Inject(TrafficService) traffic: TrafficService,
  ) {
    this.questions = questions
    this.funnels = funnels
    this.traffic = traffic
  }

  /** Returns the week whose report was due last at an instant, and since when it is due. */
  periodOf(app: App, { hour = REPORT_HOUR }: ReportRule, now: number): Period & { readonly dueAt: number } {
    const zone = timeZone(app.timezone)
    const dueAt = (monday: string): number => zone.startOf(monday) + hour * HOUR_MS
    let monday = mondayOf(zone.dateOf(now))
    if (dueAt(monday) > now) monday = shiftDate(monday, -7)
    return { from: shiftDate(monday, -7), to: shiftDate(monday, -1), dueAt: dueAt(monday) }
  }

  /** Waits until the week is counted, so that its report is that of the whole week. */
  async check(app: App, rule: ReportRule, completeTo: number, now: number, signal: AbortSignal): Promise<CheckResult> {
    const { from, to } = this.periodOf(app, rule, now)
    if (completeTo < timeZone(app.timezone).startOf(shiftDate(to, 1)))
      return { check: 'behind', detail: 'Events of the last week wait to be counted.' }
    const [before] = weeksBefore({ from, to }, 1)
    const [week, earlier] = [await this.week(app, { from, to }), await this.week(app, before!)]
    const all = await this.funnels.list(app)
    const funnels: FunnelWeek[] = []
    for (const funnel of all.slice(0, FUNNELS_MAX))
      funnels.push(await this.funnelWeek(app, funnel, [{ from, to }, before!], signal))
    const lines = [
      `${app.name}, ${from} to ${to}, and the difference to the week before:`,
      `Events: ${withChange(week.events, earlier.events)}`,
      `People: ${withChange(week.people, earlier.people)}`,
      ...funnels.map(funnelText),
      ...(all.length > FUNNELS_MAX ? [`${all.length - FUNNELS_MAX} more funnels are in the dashboard.`] : []),
    ]
    return {
      check: 'ok',
      detail: `The report of ${from} to ${to} is written.`,
      period: from,
      message: {
        title: `${app.name}: week of ${from}`,
        lines,
        details: { week: { from, to, ...week }, before: { ...before, ...earlier }, funnels },
        page: `overview?range=${from}..${to}&vs=previous`,
      },
    }
  }

  private async week(app: App, { from, to }: Period): Promise<Week> {
    const { rows } = await this.traffic.traffic(app, { from, to, by: 'day' })
    const { total_users: people } = await this.traffic.agents(app, { from, to, by: 'device' })
    return { events: rows.reduce((sum, { events }) => sum + events, 0), people }
  }

  private async funnelWeek(
    app: App,
    { id, name }: Funnel,
    weeks: readonly Period[],
    signal: AbortSignal,
  ): Promise<FunnelWeek> {
    const { window_ms } = fallDefaults
    const answers = []
    for (const { from, to } of weeks)
      answers.push(await this.questions.ask(app, { from, to, funnel: id, window_ms }, signal))
    const [now, before] = answers.map(({ total, steps }) => ({ n: total, hits: steps.at(-1)?.count ?? 0 }))
    const open = answers[0]!.steps.reduce((sum, { causes }) => sum + causes.open, 0)
    return { id, name, now: now!, before: before!, open }
  }
}

function withChange(now: number, before: number): string {
  if (before === 0) return `${countOf(now)} (none before)`
  const change = ((now - before) / before) * 100
  return `${countOf(now)} (${change < 0 ? '\u2212' : '+'}${Math.abs(change).toFixed(1)} %)`
}

function funnelText({ name, now, before, open }: FunnelWeek): string {
  const rate = now.n === 0 ? null : now.hits / now.n
  const text = `${name}: ${percentOf(rate)} of ${countOf(now.n)}`
  const stillOpen = open > 0 ? `; ${countOf(open)} still deciding` : ''
  if (rate === null || before.n === 0) return `${text}${stillOpen}`
  const { is } = compareProportions(now, before)
  const claim = is === 'real' ? 'beyond chance' : is === 'chance' ? 'can be chance' : 'too few for a claim'
  return `${text} (${pointsOf(rate - before.hits / before.n)}: ${claim})${stillOpen}`
}

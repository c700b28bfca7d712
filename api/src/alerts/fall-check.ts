import { Inject, Injectable } from '@nestjs/common'
import {
  fallDefaults,
  fallOf,
  timeZone,
  type App,
  type DropCause,
  type FallRule,
  type FunnelAnswer,
  type FunnelQuery,
} from '@hopper/contracts'
import { FunnelsService } from '../services/administration/funnels.service.ts'
import { countOf, percentOf, type CheckResult, type Message } from './check.ts'
import {
  addUp,
  fallenSegment,
  fallenStage,
  type FunnelCounts,
  type SegmentFall,
  type StageFall,
} from './fall-causes.ts'
import { FunnelQuestions } from './funnel-questions.ts'
import { latestSettled, weeksBefore, type Period } from './periods.ts'

/** Keys of events by which a fall is broken down. */
const BREAKDOWN_KEYS = ['device', 'browser', 'country', 'channel'] as const

const causeTexts: Record<DropCause, string> = {
  open: 'still deciding',
  excluded: 'did something excluded',
  late: 'too late',
  mismatch: 'another value',
  before: 'in another order',
  never: 'never came back',
}

type Rule = Required<FallRule>

/** The two rates that are compared. */
interface Compared {
  readonly now: FunnelCounts
  readonly before: FunnelCounts
  readonly period: Period
  readonly earlier: readonly Period[]
}

/** Checks whether the rate of a funnel has fallen beyond chance. */
@Injectable()
export class FallCheck {
  private readonly questions: FunnelQuestions
  private readonly funnels: FunnelsService

  constructor(@Inject(FunnelQuestions) questions: FunnelQuestions, @Inject(FunnelsService) funnels: FunnelsService) {
    this.questions = questions
    this.funnels = funnels
  }

  /** Returns the period that is decided at an instant. */
  periodOf(app: App, rule: FallRule, completeTo: number): Period {
    const { period, window_ms } = { ...fallDefaults, ...rule }
    return latestSettled(period, timeZone(app.timezone), completeTo, window_ms)
  }

  async check(app: App, sent: FallRule, completeTo: number, signal: AbortSignal): Promise<CheckResult> {
    const rule: Rule = { ...fallDefaults, ...sent }
    const period = this.periodOf(app, sent, completeTo)
    // Expired periods would count as nobody.
    const earlier = weeksBefore(period, rule.periods_before).filter(({ from }) => from >= (app.kept_from ?? ''))
    const { name } = await this.funnels.get(app, rule.funnel)
    const [answer, ...before] = await this.askEach(app, rule, [period, ...earlier], signal)
    const now = addUp([answer!])!
    const compared = { now, before: addUp(before) ?? { total: 0, steps: [] }, period, earlier }
    const [hits, hitsBefore] = [lastOf(now), lastOf(compared.before)]
    const verdict = fallOf(
      { hits, n: now.total },
      { hits: hitsBefore, n: compared.before.total },
      rule.threshold,
      rule.sample_min,
    )
    const detail =
      `${name}, ${periodText(period)}: ${rateText(now)}; before: ${rateText(compared.before)}` +
      (verdict.is === 'few' ? '; too few for a claim' : `; P = ${verdict.p.toPrecision(2)}`)
    if (verdict.is === 'few') return { check: 'few', detail, period: period.from }
    if (verdict.is === 'chance')
      return { check: 'ok', detail, period: period.from, message: recovered(name, rule, compared) }
    const difference = hits / now.total - hitsBefore / compared.before.total
    const stage = fallenStage(now, compared.before)
    const segment = await this.segmentOf(app, rule, compared, difference, signal)
    return {
      check: 'firing',
      detail,
      period: period.from,
      message: fallen(name, rule, compared, { ...verdict, stage, segment }),
    }
  }

  /**
   * Queries each period separately: a person who comes in several of them is counted in each, as in the one that they
   * are compared with.
   */
  private async askEach(
    app: App,
    { funnel, window_ms, count_by }: Rule,
    periods: readonly Period[],
    signal: AbortSignal,
    more: Partial<FunnelQuery> = {},
  ): Promise<FunnelAnswer[]> {
    const answers: FunnelAnswer[] = []
    for (const { from, to } of periods)
      answers.push(await this.questions.ask(app, { from, to, funnel, window_ms, count_by, ...more }, signal))
    return answers
  }

  /** The value that makes the largest part of the fall; undefined if none does, or the queries take too long. */
  private async segmentOf(
    app: App,
    rule: Rule,
    { now, period, earlier }: Compared,
    difference: number,
    signal: AbortSignal,
  ): Promise<SegmentFall | undefined> {
    const found: SegmentFall[] = []
    for (const breakdown of BREAKDOWN_KEYS) {
      try {
        const [latest, ...before] = await this.askEach(app, rule, [period, ...earlier], signal, { breakdown })
        const rows = ({ breakdown: all = [] }: FunnelAnswer): NonNullable<FunnelAnswer['breakdown']> => all
        const whole = { starts: now.total, difference }
        const fall = fallenSegment(breakdown, [rows(latest!)], before.map(rows), whole)
        if (fall) found.push(fall)
      } catch {
        // The fall itself is known and must be reported, even without a segment.
        break
      }
    }
    return found.sort((a, b) => b.share - a.share)[0]
  }
}

function lastOf({ steps }: FunnelCounts): number {
  return steps.at(-1)?.count ?? 0
}

function rateText(counts: FunnelCounts): string {
  const rate = counts.total === 0 ? null : lastOf(counts) / counts.total
  return `${percentOf(rate)} (${countOf(lastOf(counts))} of ${countOf(counts.total)})`
}

function periodText({ from, to }: Period): string {
  return from === to ? from : `${from} to ${to}`
}

function pageOf({ funnel }: Rule, { from, to }: Period): string {
  return `funnels/${encodeURIComponent(funnel)}?range=${from}..${to}`
}

interface Fall {
  readonly z: number
  readonly p: number
  readonly stage: StageFall | undefined
  readonly segment: SegmentFall | undefined
}

function fallen(name: string, rule: Rule, compared: Compared, { z, p, stage, segment }: Fall): Message {
  const { now, before, period, earlier } = compared
  const lines = [
    `Of those who started “${name}” in ${periodText(period)}, ${rateText(now)} finished.`,
    `In the ${earlier.length} ${rule.period === 'day' ? 'same weekdays' : 'weeks'} before: ${rateText(before)}.`,
    `Chance alone makes such a fall with a probability of ${p.toPrecision(2)} (z = ${z.toFixed(2)}).`,
    ...(stage ? [stageText(stage)] : []),
    ...(segment ? [segmentText(segment)] : []),
  ]
  return {
    title: `${name}: the rate fell to ${percentOf(lastOf(now) / now.total)}`,
    lines,
    page: pageOf(rule, period),
    details: {
      funnel: rule.funnel,
      period,
      now: { starts: now.total, finished: lastOf(now) },
      before: { starts: before.total, finished: lastOf(before), periods: earlier.length },
      z,
      p,
      threshold: rule.threshold,
      ...(stage ? { stage } : {}),
      ...(segment ? { segment } : {}),
    },
  }
}

function stageText({ name, rate_now, rate_before, causes }: StageFall): string {
  const [now, before] = [percentOf(rate_now), percentOf(rate_before)]
  const text = `Most of it at “${name}”: ${now} of those before it reach it, ${before} did.`
  const [cause] = causes
  if (!cause) return text
  const grown = `${percentOf(cause.now)} (was ${percentOf(cause.before)})`
  return `${text} More than before: ${causeTexts[cause.cause]}, ${grown}.`
}

function segmentText({ key, value, rate_now, rate_before, share }: SegmentFall): string {
  const part = `${Math.round(Math.min(1, share) * 100)} %`
  const rates = `${percentOf(rate_now)}, was ${percentOf(rate_before)}`
  return `Most of it by ${key} “${value}”: ${rates}; about ${part} of the fall.`
}

function recovered(name: string, rule: Rule, { now, before, period }: Compared): Message {
  return {
    title: `${name}: the rate is back to ${percentOf(lastOf(now) / now.total)}`,
    lines: [
      `Of those who started “${name}” in ${periodText(period)}, ${rateText(now)} finished.`,
      `Before: ${rateText(before)}.`,
      'This is no fall beyond chance any more.',
    ],
    page: pageOf(rule, period),
    details: { funnel: rule.funnel, period, now: { starts: now.total, finished: lastOf(now) } },
  }
}

import { Inject, Injectable } from '@nestjs/common'
import type { Alert, App } from '@hopper/contracts'
import { Completeness } from '../answers/completeness.ts'
import type { CheckResult } from './check.ts'
import { FallCheck } from './fall-check.ts'
import { QuietCheck } from './quiet-check.ts'
import { ReportCheck } from './report-check.ts'

/** The instants that a check needs. */
export interface CheckTime {
  readonly now: number
  /** everything received before it is counted, ms since the epoch; null if that is not known */
  readonly completeTo: number | null
}

/** Checks rules of every kind. */
@Injectable()
export class AlertChecks {
  private readonly completeness: Completeness
  private readonly fall: FallCheck
  private readonly quiet: QuietCheck
  private readonly report: ReportCheck

  constructor(
    @Inject(Completeness) completeness: Completeness,
    @Inject(FallCheck) fall: FallCheck,
    @Inject(QuietCheck) quiet: QuietCheck,
    @Inject(ReportCheck) report: ReportCheck,
  ) {
    this.completeness = completeness
    this.fall = fall
    this.quiet = quiet
    this.report = report
  }

  async timeOf(app: App, now: number): Promise<CheckTime> {
    const { completeTo } = await this.completeness.progress(app.id)
    return { now, completeTo }
  }

  /** Returns the period that can be decided now; undefined for a rule that is checked all the time, or cannot be. */
  periodOf(app: App, { fall, report, created_at }: Alert, { now, completeTo }: CheckTime): string | undefined {
    if (completeTo === null) return undefined
    if (fall) return this.fall.periodOf(app, fall, completeTo).from
    if (!report) return undefined
    const { from, dueAt } = this.report.periodOf(app, report, now)
    return dueAt >= created_at ? from : NEVER
  }

  /** Checks a rule. */
  async check(app: App, { fall, quiet, report }: Alert, time: CheckTime, signal: AbortSignal): Promise<CheckResult> {
    const { now, completeTo } = time
    if (completeTo === null) return { check: 'behind', detail: 'It is not known what is counted.' }
    if (fall) return this.fall.check(app, fall, completeTo, signal)
    if (quiet) return this.quiet.check(app, quiet, completeTo, now, signal)
    if (report) return this.report.check(app, report, completeTo, now, signal)
    return { check: 'failed', detail: 'The alert has no rule.' }
  }
}

/** The period of a rule that nothing is due for yet. */
export const NEVER = 'never'

import { Inject, Injectable } from '@nestjs/common'
import { limits, shiftDate, type App, type Meta } from '@hopper/contracts'
import { Completeness } from '../answers/completeness.ts'
import { dateRange, type DateRange } from '../answers/date-range.ts'
import { CLOCK, type Clock } from '../tokens.ts'

/** Opens an answer: determines its range, and, before its numbers are read, how complete and final they are. */
@Injectable()
export class AnswerService {
  private readonly completeness: Completeness
  private readonly clock: Clock

  constructor(@Inject(Completeness) completeness: Completeness, @Inject(CLOCK) clock: Clock) {
    this.completeness = completeness
    this.clock = clock
  }

  async open(app: App, parameters: { from?: string; to?: string }): Promise<DateRange & { meta: Meta }> {
    const range = dateRange(parameters, app, this.clock())
    const progress = await this.completeness.progress(app.id)
    const { completeTo } = progress
    const isOver = completeTo !== null && completeTo > range.zone.startOf(shiftDate(range.to, 1)) + limits.lateAfterMs
    // uncounted messages in the log may belong to any date
    const settled = isOver && !(await this.completeness.mayConcern(app.id, progress))
    return {
      ...range,
      meta: {
        from: range.from,
        to: range.to,
        timezone: app.timezone,
        complete_to: completeTo,
        settled,
        ...(app.kept_from === undefined ? {} : { kept_from: app.kept_from }),
      },
    }
  }
}

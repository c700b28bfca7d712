import { Dropped, type Incoming, type Step } from './batch/incoming.ts'
import { buildEvent } from './steps/build-event.ts'
import { checkClock } from './steps/check-clock.ts'
import { checkFields } from './steps/check-fields.ts'
import { correctClock } from './steps/correct-clock.ts'
import { deriveDevice } from './steps/derive-device.ts'
import { fillEventId } from './steps/fill-event-id.ts'
import { readTime } from './steps/read-time.ts'
import { readType } from './steps/read-type.ts'
import { rejectNonObject } from './steps/reject-non-object.ts'
import { rejectOversize } from './steps/reject-oversize.ts'
import { requireDevice } from './steps/require-device.ts'
import { stripUrls } from './steps/strip-urls.ts'

/** Steps that every event passes, in this order. */
export const steps: readonly Step[] = [
  rejectNonObject,
  readType,
  rejectOversize,
  checkFields,
  requireDevice,
  readTime,
  correctClock,
  checkClock,
  deriveDevice,
  fillEventId,
  stripUrls,
  buildEvent,
]

/** Statistics of a step. */
export interface StepFigures {
  readonly step: string
  seconds: number
  events: number
  dropped: number
}

/** Runs batches through the steps; counts and times each step under its name. */
export class Pipeline {
  readonly figures: readonly StepFigures[] = steps.map((step) => ({
    step: step.name,
    seconds: 0,
    events: 0,
    dropped: 0,
  }))

  /**
   * Returns the result for each event, by index; an event that was dropped before stays so. A step processes all
   * events of a batch in a row, so that two clock reads are enough to time it.
   */
  run(batch: readonly (Incoming | Dropped)[]): (Incoming | Dropped)[] {
    const results = batch.slice()
    let dropped = results.reduce((sum, result) => sum + Number(result instanceof Dropped), 0)
    for (const [stepIndex, step] of steps.entries()) {
      const figures = this.figures[stepIndex]!
      const started = performance.now()
      for (let index = 0; index < results.length; index++) {
        const incoming = results[index]!
        if (dropped > 0 && incoming instanceof Dropped) continue
        figures.events++
        const result = step(incoming as Incoming)
        // A step returns the event that it was given, or why it is rejected.
        if (result === incoming) continue
        results[index] = result
        figures.dropped++
        dropped++
      }
      figures.seconds += (performance.now() - started) / 1000
    }
    return results
  }
}

/**
 * What was there at an instant: per app and date (UTC) of receipt the events that have a fate, and the messages that
 * are counted.
 */
export interface RateSample {
  readonly at: number
  readonly events: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly messages: number
}

const WINDOW_MS = 60_000
const SAMPLE_EVERY_MS = 1_000

/** Rates over the last minute, out of totals that grow. */
export class EventRates {
  /** ascending by time; the first is the last one that is a minute old, when there is one */
  private samples: RateSample[] = []

  add(sample: RateSample): void {
    const last = this.samples.at(-1)
    if (last && sample.at < last.at) this.samples = []
    // the first says when the window begins
    else if (last && (sample.at === last.at || (this.samples.length > 1 && sample.at - last.at < SAMPLE_EVERY_MS)))
      this.samples.pop()
    this.samples.push(sample)
    while (this.samples.length > 2 && sample.at - this.samples[1]!.at >= WINDOW_MS) this.samples.shift()
  }

  /** Events of some apps per second. */
  events(apps: readonly string[]): number {
    return this.rate((first, last) =>
      apps.reduce((sum, app) => sum + grown(first.events.get(app), last.events.get(app)), 0),
    )
  }

  /** Messages of the log that were counted per second. */
  messages(): number {
    return this.rate((first, last) => Math.max(0, last.messages - first.messages))
  }

  private rate(growth: (first: RateSample, last: RateSample) => number): number {
    const [first, last] = [this.samples[0], this.samples.at(-1)]
    return first && last && last.at > first.at ? (growth(first, last) * 1_000) / (last.at - first.at) : 0
  }
}

/** A date that was not there before began with 0; one that is smaller was counted again. */
function grown(before: ReadonlyMap<string, number> = new Map(), now: ReadonlyMap<string, number> = new Map()): number {
  return [...now].reduce((sum, [date, events]) => sum + Math.max(0, events - (before.get(date) ?? 0)), 0)
}

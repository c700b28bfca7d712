/** The totals at an instant: events with a fate per app and date of receipt (UTC), and counted messages. */
export interface RateSample {
  readonly at: number
  readonly events: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly messages: number
}

const WINDOW_MS = 60_000
const SAMPLE_INTERVAL_MS = 1_000

/** Rates over the last minute, computed from growing totals. */
export class EventRates {
  /** samples, ascending by time; the first is the newest one that is at least a minute old, if there is any */
  private samples: RateSample[] = []

  add(sample: RateSample): void {
    const last = this.samples.at(-1)
    if (last && sample.at < last.at) this.samples = []
    // keep the first sample, which marks the start of the window
    else if (last && (sample.at === last.at || (this.samples.length > 1 && sample.at - last.at < SAMPLE_INTERVAL_MS)))
      this.samples.pop()
    this.samples.push(sample)
    while (this.samples.length > 2 && sample.at - this.samples[1]!.at >= WINDOW_MS) this.samples.shift()
  }

  /** Events per second, summed over the given apps. */
  events(apps: readonly string[]): number {
    return this.rate((first, last) =>
      apps.reduce((sum, app) => sum + grown(first.events.get(app), last.events.get(app)), 0),
    )
  }

  /** Counted messages per second. */
  messages(): number {
    return this.rate((first, last) => Math.max(0, last.messages - first.messages))
  }

  private rate(growth: (first: RateSample, last: RateSample) => number): number {
    const [first, last] = [this.samples[0], this.samples.at(-1)]
    return first && last && last.at > first.at ? (growth(first, last) * 1_000) / (last.at - first.at) : 0
  }
}

/** Sums the growth per date. A new date started at 0; a total that shrank was recounted and adds nothing. */
function grown(before: ReadonlyMap<string, number> = new Map(), now: ReadonlyMap<string, number> = new Map()): number {
  return [...now].reduce((sum, [date, events]) => sum + Math.max(0, events - (before.get(date) ?? 0)), 0)
}

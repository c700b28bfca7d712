interface Sample {
  readonly at: number
  readonly total: number
}

const WINDOW_MS = 60_000
const SAMPLE_EVERY_MS = 1_000
const SERIES_MAX = 1_000

/** Events per second out of growing totals, one series per set of apps. Samples are taken when asked; the first call of a series answers 0. */
export class EventRates {
  private readonly series = new Map<string, Sample[]>()

  perSecond(name: string, total: number, at: number): number {
    const samples = (this.series.get(name) ?? []).filter((sample) => at - sample.at <= WINDOW_MS && sample.total <= total)
    const first = samples[0]
    const last = samples.at(-1)
    if (!last || at - last.at >= SAMPLE_EVERY_MS) samples.push({ at, total })
    this.series.delete(name)
    if (this.series.size >= SERIES_MAX) this.series.clear()
    this.series.set(name, samples)
    return first && at > first.at ? ((total - first.total) * 1000) / (at - first.at) : 0
  }
}

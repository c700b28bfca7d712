/** Returns the middle value, or the mean of the middle two for an even number of values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export interface Paired {
  /** medians of the figures of each side */
  readonly a: number
  readonly b: number
  /** median, smallest and largest of a/b per round, which are robust when the machine's speed drifts */
  readonly ratio: number
  readonly ratioMin: number
  readonly ratioMax: number
}

/** Measures two things alternately, a b a b …, after one warm-up round. Figures are rates: larger is better. */
export async function paired(rounds: number, a: () => Promise<number>, b: () => Promise<number>): Promise<Paired> {
  const as: number[] = []
  const bs: number[] = []
  for (let round = -1; round < rounds; round++) {
    const [ra, rb] = [await a(), await b()]
    if (round < 0) continue
    as.push(ra)
    bs.push(rb)
  }
  const ratios = as.map((value, index) => value / bs[index]!)
  return {
    a: median(as),
    b: median(bs),
    ratio: median(ratios),
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
  }
}

/** Formats one line of the report: the subject, its ratio, and the bar that it must reach. */
export function reportLine(
  what: string,
  { ratio, ratioMin, ratioMax }: Pick<Paired, 'ratio' | 'ratioMin' | 'ratioMax'>,
  bar: number,
): string {
  const verdict = ratio >= bar ? 'reached' : 'NOT REACHED'
  const range = `${ratioMin.toFixed(2)} to ${ratioMax.toFixed(2)}`
  return `${what}: ratio ${ratio.toFixed(2)} (${range}), bar ${bar.toFixed(2)} ${verdict}`
}

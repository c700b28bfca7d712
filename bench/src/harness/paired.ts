/** The middle value; of an even number, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export interface Paired {
  /** medians of the figures of each side */
  readonly a: number
  readonly b: number
  /** median, smallest and largest of a/b round by round: what holds when the machine's speed drifts */
  readonly ratio: number
  readonly ratioMin: number
  readonly ratioMax: number
}

/** Measures two things in turn, a b a b …, after one round that does not count. Figures are rates: larger is better. */
export async function paired(rounds: number, a: () => Promise<number>, b: () => Promise<number>): Promise<Paired> {
  const as: number[] = []
  const bs: number[] = []
  for (let round = -1; round < rounds; round++) {
    const [ra, rb] = [await a(), await b()]
    if (round < 0) continue
    as.push(ra)
    bs.push(rb)
  }
  const ratios = as.map((value, at) => value / bs[at]!)
  return {
    a: median(as),
    b: median(bs),
    ratio: median(ratios),
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
  }
}

/** One line of the report: what, its ratio, the bar it must reach. */
export function reportLine(
  what: string,
  { ratio, ratioMin, ratioMax }: Pick<Paired, 'ratio' | 'ratioMin' | 'ratioMax'>,
  bar: number,
): string {
  const verdict = ratio >= bar ? 'reached' : 'NOT REACHED'
  return `${what}: ratio ${ratio.toFixed(2)} (${ratioMin.toFixed(2)} to ${ratioMax.toFixed(2)}), bar ${bar.toFixed(2)} ${verdict}`
}

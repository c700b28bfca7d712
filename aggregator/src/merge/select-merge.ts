import type { StoredSpan } from './stored-span.ts'

/** Number of adjacent spans of one size that are merged into one of the next size. */
export const FAN_IN = 8
/** The same number for a date or month that is past and quiet, so that few spans remain. */
export const FAN_IN_PAST = 2
/** Maximum bytes that a merge reads, as stored; these and the result are in memory at the same time. */
export const MERGE_BYTES_MAX = 32_000_000
const MERGE_SPANS_MAX = 128
const SMALL_ROWS = 512
const TIERS = 4
const LARGE_BYTES = 4_000_000

type Size = Pick<StoredSpan, 'rows' | 'bytes'>

/**
 * Returns the size class of a span: 0 below 512 rows, plus one for each factor of eight. Spans of class `TIERS` are
 * large enough to be left alone.
 */
export function tierOf({ rows, bytes }: Size): number {
  if (bytes >= LARGE_BYTES) return TIERS
  const tier = rows < SMALL_ROWS ? 0 : 1 + Math.floor(Math.log2(rows / SMALL_ROWS) / 3)
  return Math.min(tier, TIERS)
}

/**
 * Selects adjacent spans to merge next: a run of the smallest size class with at least `fanIn` spans of that class and
 * no larger span in between. Small spans beside a larger one wait for more of their class, so each event is rewritten
 * about once per class, however small the spans it arrived in.
 */
export function selectMerge<S extends Size>(spans: readonly S[], fanIn: number): readonly S[] | undefined {
  const tiers = spans.map(tierOf)
  for (let tier = 0; tier < TIERS; tier++) {
    for (let begin = 0, end = 0; begin < spans.length; begin = end + 1) {
      for (end = begin; end < spans.length && tiers[end]! <= tier; end++);
      if (tiers.slice(begin, end).filter((other) => other === tier).length < fanIn) continue
      const run = takeBounded(spans.slice(begin, end))
      if (run.length > 1) return run
    }
  }
  return undefined
}

/** Returns the first spans, as many as one merge may read. */
function takeBounded<S extends Size>(spans: readonly S[]): readonly S[] {
  let bytes = 0
  const end = spans.findIndex((span, index) => index >= MERGE_SPANS_MAX || (bytes += span.bytes) > MERGE_BYTES_MAX)
  return end < 0 ? spans : spans.slice(0, end)
}

import type { StoredSpan } from './stored-span.ts'

/** Spans of one size make one of the next size when so many of them stand together. */
export const FAN_IN = 8
/** The same once a date, or a month, is over and quiet, so that it ends with few spans. */
export const FAN_IN_OVER = 2
/** A merge reads no more than this, as stored; so much and what it makes of it are in memory at once. */
export const MERGE_BYTES_MAX = 32_000_000
const MERGE_SPANS_MAX = 128
const SMALL_ROWS = 512
const TIERS = 4
const LARGE_BYTES = 4_000_000

type Size = Pick<StoredSpan, 'rows' | 'bytes'>

/**
 * The size of a span: 0 below 512 rows, and one more for eight times as many; `TIERS` is large enough to be left alone.
 */
export function tierOf({ rows, bytes }: Size): number {
  if (bytes >= LARGE_BYTES) return TIERS
  const tier = rows < SMALL_ROWS ? 0 : 1 + Math.floor(Math.log2(rows / SMALL_ROWS) / 3)
  return Math.min(tier, TIERS)
}

/**
 * Which spans, standing side by side, to merge next: the smallest size of which `fanIn` stand together with nothing
 * larger between them. What stands beside a larger span waits for its like, so each event is rewritten about once for
 * each size, however small the spans it came in.
 */
export function selectMerge<S extends Size>(spans: readonly S[], fanIn: number): readonly S[] | undefined {
  const tiers = spans.map(tierOf)
  for (let tier = 0; tier < TIERS; tier++) {
    for (let begin = 0, end = 0; begin < spans.length; begin = end + 1) {
      for (end = begin; end < spans.length && tiers[end]! <= tier; end++);
      if (tiers.slice(begin, end).filter((other) => other === tier).length < fanIn) continue
      const run = bounded(spans.slice(begin, end))
      if (run.length > 1) return run
    }
  }
  return undefined
}

/** The first of the spans, as many as one merge may take. */
function bounded<S extends Size>(spans: readonly S[]): readonly S[] {
  let bytes = 0
  const end = spans.findIndex((span, at) => at >= MERGE_SPANS_MAX || (bytes += span.bytes) > MERGE_BYTES_MAX)
  return end < 0 ? spans : spans.slice(0, end)
}

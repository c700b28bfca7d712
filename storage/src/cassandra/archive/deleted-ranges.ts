import { types } from 'cassandra-driver'
import type { SpanGap } from './manifest.ts'

/** Lower and upper bound of all ids in the order of Cassandra. */
const FIRST = types.TimeUuid.fromString('00000000-0000-1000-8080-808080808080')
const LAST = types.TimeUuid.fromString('ffffffff-ffff-1fff-bf7f-7f7f7f7f7f7f')

interface Identified {
  readonly span: types.TimeUuid
}

/**
 * The ranges of ids that the removal of `old` from `all` leaves between remaining spans. Each range extends to the
 * neighbouring remaining spans, so that its tombstone covers earlier ones inside it. `all` is in the order of the
 * manifest; `added` spans remain too, wherever their ids are.
 */
export function deletedRangesOf(
  all: readonly Identified[],
  old: readonly Identified[],
  added: readonly Identified[],
): SpanGap[] {
  const replaced = new Set(old.map(({ span }) => String(span)))
  const ordered = [...all, ...added].map(({ span }) => span).sort(compareTimeUuids)
  const gaps: SpanGap[] = []
  let after = FIRST
  let open = false
  for (const span of [...ordered, LAST]) {
    if (replaced.has(String(span))) {
      open = true
      continue
    }
    if (open) gaps.push({ after, before: span })
    after = span
    open = false
  }
  return gaps
}

/**
 * Orders ids by time. Ids of the same 100 ns differ in their last 8 bytes, which Cassandra compares as signed bytes.
 */
export function compareTimeUuids(a: types.TimeUuid, b: types.TimeUuid): number {
  const [x, y] = [a.getBuffer(), b.getBuffer()]
  for (const index of [6, 7, 4, 5, 0, 1, 2, 3]) {
    const order = (index === 6 ? x[index]! & 15 : x[index]!) - (index === 6 ? y[index]! & 15 : y[index]!)
    if (order !== 0) return order
  }
  for (let index = 8; index < 16; index++) {
    const order = x.readInt8(index) - y.readInt8(index)
    if (order !== 0) return order
  }
  return 0
}

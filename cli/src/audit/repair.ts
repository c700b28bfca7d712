import { emptyBatch, type LaneBatch, type Lease, type Storage } from '@hopper/storage'
import type { CounterDrift, Drift, VisitorDrift } from './drift.ts'

/**
 * Checks whether a correction can repair the drift. A surplus visitor needs a rebuild, because rows are only ever added
 * to sets of visitors.
 */
export function isRepairable({ kind }: Drift): boolean {
  return kind !== 'surplus'
}

/**
 * Corrects what can be corrected, as the owner of the lane. Counters change by the difference and keep their watermark;
 * missing visitors are inserted.
 */
export async function repair({ lanes, writer }: Storage, lease: Lease, drift: readonly Drift[]): Promise<Lease> {
  const renewed = await lanes.renew(lease)
  await writer.apply(renewed, correctionOf(lease.lane, drift))
  return renewed
}

function correctionOf(lane: number, drift: readonly Drift[]): LaneBatch {
  const counters = drift.filter((each): each is CounterDrift => each.kind === 'counter')
  const missing = drift.filter((each): each is VisitorDrift => each.kind === 'missing')
  return {
    ...emptyBatch,
    lane,
    counters: groupsOf(counters).map((rows) => {
      const { table, app, date, applied } = rows[0]!
      const corrections = rows.map(({ key, found, expected }) => ({
        key,
        deltas: expected.map((value, index) => value - found[index]!),
      }))
      return { table, app, date, from: applied, to: applied, rows: corrections }
    }),
    visitors: groupsOf(missing).map((rows) => {
      const { table, app, date } = rows[0]!
      return { table, app, date, rows: rows.map(({ key, visitor }) => ({ key, visitor })) }
    }),
  }
}

/** Groups drift by partition. */
function groupsOf<T extends Drift>(drift: readonly T[]): T[][] {
  return [...Map.groupBy(drift, ({ table, app, date }) => `${table} ${app} ${date}`).values()]
}

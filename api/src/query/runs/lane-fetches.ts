import type { ChunkSummary, FunnelUnit } from '@hopper/contracts'
import type { Identities } from '@hopper/engine'
import { assertLaneFits } from '../batches.ts'
import type { ColumnFetch } from '../pool/query-job.ts'

/** The parts of a query that decide which columns a scan reads. */
interface LaneScan {
  readonly plan: {
    readonly unit: FunnelUnit
    columns(summary: ChunkSummary): { readonly always: readonly string[]; readonly tied: readonly string[] }
  }
  readonly withTieBreakers: boolean
}

/**
 * Lists the columns of a lane. Those that break ties are needed only if the events of a unit may be in several spans or
 * lanes.
 */
export function fetchesOfLane(
  { plan, withTieBreakers }: LaneScan,
  lane: readonly ChunkSummary[],
  identities: Identities,
): ColumnFetch[] {
  const spans = new Set(
    lane.map(({ date, first_position, last_position }) => `${date}/${first_position}-${last_position}`),
  )
  const byPerson = plan.unit === 'person' && identities.keys.length > 0
  const ties = spans.size > 1 || plan.unit === 'session' || (byPerson && withTieBreakers)
  const fetches = lane.map((summary) => {
    const { always, tied } = plan.columns(summary)
    return {
      summary,
      names: [
        ...always,
        ...tied.filter((name) => ties || (byPerson && name === 'user')),
        ...(plan.unit === 'session' ? ['device_id'] : []),
      ],
    }
  })
  assertLaneFits(fetches)
  return fetches
}

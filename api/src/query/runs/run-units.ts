import {
  ElementsScan,
  FunnelScan,
  HesitationScan,
  InsteadScan,
  JourneyScan,
  LossScan,
  RetentionScan,
  SourceScan,
  spansOf,
  type Budget,
} from '@hopper/engine'
import { findForLeader, OtherParts } from '../funnel-parts.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { UnitQuery } from '../query.ts'
import type { QueryRuntime, QuestionOutcome } from '../pool/query-runtime.ts'
import { isNeeded, peopleFor } from './people-for.ts'
import { prefetchChunks } from './prefetch-chunks.ts'
import { fetchesOfLane } from './lane-fetches.ts'

type Scan =
  ElementsScan | FunnelScan | HesitationScan | InsteadScan | JourneyScan | RetentionScan | SourceScan | LossScan

/** Runs a query in this thread, or its part of one: a part with a leader sends its result to the leader. */
export async function runUnits(query: UnitQuery, job: QueryJob, runtime: QueryRuntime): Promise<QuestionOutcome> {
  const { context, chunks, leader, others } = job
  const people = await peopleFor(query, job, runtime)
  const { identities } = people
  const lanes = [...Map.groupBy(chunks, ({ lane }) => lane).values()]
  const scanned = async <S extends Scan>(scan: S): Promise<S> => {
    const fetches = lanes.map((lane) => fetchesOfLane(scan, lane, identities))
    for await (const lane of prefetchChunks(fetches, runtime))
      scan.scanLane({ lane: lane[0]!.summary.lane, spans: spansOf(lane), identities })
    return scan
  }
  if (leader && query.kind === 'funnel') {
    await findForLeader(leader, async (withTieBreakers) =>
      (await scanned(new FunnelScan(query.request, context, runtime.budget, withTieBreakers))).partial(),
    )
    return { kind: 'answered', result: undefined }
  }
  const parts = new OtherParts(others)
  const run = async (withTieBreakers: boolean): Promise<unknown> => {
    const partials = parts.find(withTieBreakers)
    // A failure in another thread also stops this one, which notices it after its own lanes.
    partials.catch(() => undefined)
    const scan = await scanned(scanOf(query, context, runtime.budget, withTieBreakers))
    for (const partial of await partials) if (scan instanceof FunnelScan) scan.absorb(partial)
    const answer = scan.finish()
    return scan.hasUnresolvedTies ? undefined : answer
  }
  try {
    if (!(await isNeeded(people, job, runtime))) return { kind: 'unneeded' }
    return { kind: 'answered', result: (await run(false)) ?? (await run(true)) }
  } finally {
    parts.close()
  }
}

/**
 * Creates the scan of a query. Only a funnel has a cheap first run, not `withTieBreakers`, in the hope that there are
 * no ties to break.
 */
function scanOf(query: UnitQuery, context: QueryJob['context'], budget: Budget, withTieBreakers: boolean): Scan {
  if (query.kind === 'funnel') return new FunnelScan(query.request, context, budget, withTieBreakers)
  if (query.kind === 'elements') return new ElementsScan(query.request, context, budget)
  if (query.kind === 'hesitation') return new HesitationScan(query.request, context, budget)
  if (query.kind === 'instead') return new InsteadScan(query.request, context, budget)
  if (query.kind === 'journeys') return new JourneyScan(query.request, budget)
  if (query.kind === 'sources') return new SourceScan(query.request, budget)
  if (query.kind === 'loss') return new LossScan(query.request, context, budget)
  return new RetentionScan(query.request, context, budget)
}

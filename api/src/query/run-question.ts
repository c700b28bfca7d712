import { HopperError, type ChunkSummary } from '@hopper/contracts'
import { EventScan, FunnelScan, JourneyScan, RetentionScan, spansOf, type Budget, type Identities } from '@hopper/engine'
import { batchesOf, bytesOf, fetchedAhead } from './batches.ts'
import { JobOver } from './chunk-source.ts'
import { identityDigest } from './known-identities.ts'
import type { QueryJob, Want } from './query-job.ts'
import type { QuestionOf, UnitQuestion } from './question.ts'
import { runExport } from './run-export.ts'
import { runPage } from './run-page.ts'
import { runPerson } from './run-person.ts'
import { runValues } from './run-values.ts'
import type { Workplace } from './workplace.ts'

/** One lane of one query, compressed: more would not fit beside the other threads. */
const LANE_BYTES_MAX = 512 * 1024 * 1024

/** Runs a question in this thread. */
export async function runQuestion(job: QueryJob, place: Workplace): Promise<unknown> {
  const { question } = job
  if (question.kind === 'events') return runEvents(question, job, place)
  if (question.kind === 'values') return runValues(question, job, place)
  if (question.kind === 'page') return runPage(question, job, place)
  if (question.kind === 'person') return runPerson(question, job, place)
  if (question.kind === 'export') return runExport(question, job, place)
  return runUnits(question, job, place)
}

async function runEvents({ request }: QuestionOf<'events'>, { chunks }: QueryJob, place: Workplace): Promise<unknown> {
  const scan = new EventScan(request, place.budget)
  const wants = chunks.map((summary) => ({ summary, names: scan.plan.columns(summary) }))
  for await (const batch of fetchedAhead(batchesOf(wants), place)) for (const chunk of batch) scan.scanChunk(chunk)
  return scan.finish()
}

async function runUnits(question: UnitQuestion, { app, context, chunks, identifying }: QueryJob, place: Workplace): Promise<unknown> {
  const identities = await place.identities.of(app, identifying)
  if (identifying.length > 0 && !(await place.ask({ ask: 'known', identities: identityDigest(identities) }))) throw new JobOver()
  const lanes = new Map<number, ChunkSummary[]>()
  for (const summary of chunks) {
    const lane = lanes.get(summary.lane)
    if (lane) lane.push(summary)
    else lanes.set(summary.lane, [summary])
  }
  const run = async (placed: boolean): Promise<unknown> => {
    const scan = scanOf(question, context, place.budget, placed)
    const wants = [...lanes.values()].map((lane) => wantsOfLane(scan, lane, identities))
    for await (const lane of fetchedAhead(wants, place)) scan.scanLane({ lane: lane[0]!.summary.lane, spans: spansOf(lane), identities })
    const answer = scan.finish()
    return scan.tied ? undefined : answer
  }
  return (await run(false)) ?? run(true)
}

/** `placed` or not, only a funnel is asked in the hope that no ties are to be broken. */
function scanOf(question: UnitQuestion, context: QueryJob['context'], budget: Budget, placed: boolean): FunnelScan | JourneyScan | RetentionScan {
  if (question.kind === 'funnel') return new FunnelScan(question.request, context, budget, placed)
  if (question.kind === 'journeys') return new JourneyScan(question.request, budget)
  return new RetentionScan(question.request, context, budget)
}

/** What breaks ties is needed only where a unit's events may lie in several spans or lanes. */
function wantsOfLane({ plan, placed }: FunnelScan | JourneyScan | RetentionScan, lane: readonly ChunkSummary[], identities: Identities): Want[] {
  const spans = new Set(lane.map(({ date, first_position, last_position }) => `${date}/${first_position}-${last_position}`))
  const byPerson = plan.unit === 'person' && identities.keys.length > 0
  const ties = spans.size > 1 || plan.unit === 'session' || (byPerson && placed)
  const wants = lane.map((summary) => {
    const { always, tied } = plan.columns(summary)
    return { summary, names: [...always, ...tied.filter((name) => ties || (byPerson && name === 'user')), ...(plan.unit === 'session' ? ['device_id'] : [])] }
  })
  const bytes = wants.reduce((sum, want) => sum + bytesOf(want), 0)
  if (bytes > LANE_BYTES_MAX) throw new HopperError('HOP_LIMIT', `The query reads ${Math.ceil(bytes / 1024 ** 2)} MB of one lane; ${LANE_BYTES_MAX / 1024 ** 2} are allowed. Narrow the range.`)
  return wants
}

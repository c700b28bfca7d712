import { HopperError, type ChunkSummary } from '@hopper/contracts'
import { EventScan, FunnelScan, JourneyScan, RetentionScan, spansOf, type Budget, type Identities } from '@hopper/engine'
import { JobOver, type Ask, type ChunkSource } from './chunk-source.ts'
import { identityDigest, type KnownIdentities } from './known-identities.ts'
import type { Progress, QueryJob, Want } from './query-job.ts'
import type { Question, QuestionOf } from './question.ts'

/** Compressed columns that are fetched and scanned together, when a question takes its chunks in any order. */
const BATCH_BYTES = 16 * 1024 * 1024
/** One lane of one query, compressed: more would not fit beside the other threads. */
const LANE_BYTES_MAX = 512 * 1024 * 1024

/** What a question has to do its work with. */
export interface Workplace {
  readonly source: ChunkSource
  readonly identities: KnownIdentities
  readonly budget: Budget
  readonly ask: Ask
  progress(progress: Progress): void
}

/** Runs a question in this thread. */
export async function runQuestion(job: QueryJob, place: Workplace): Promise<unknown> {
  const { question } = job
  return question.kind === 'events' ? runEvents(question, job, place) : runUnits(question, job, place)
}

async function runEvents({ request }: QuestionOf<'events'>, { chunks }: QueryJob, place: Workplace): Promise<unknown> {
  const scan = new EventScan(request, place.budget)
  const wants = chunks.map((summary) => ({ summary, names: scan.plan.columns(summary) }))
  for await (const batch of fetchedAhead(batchesOf(wants), place)) for (const chunk of batch) scan.scanChunk(chunk)
  return scan.finish()
}

type UnitQuestion = Exclude<Question, { kind: 'events' }>

async function runUnits(question: UnitQuestion, { app, context, chunks, identifying }: QueryJob, place: Workplace): Promise<unknown> {
  const identities = await place.identities.of(app, identifying)
  if (identifying.length > 0 && !(await place.ask({ ask: 'known', identities: identityDigest(identities) }))) throw new JobOver()
  const scan = scanOf(question, context, place.budget)
  const lanes = new Map<number, ChunkSummary[]>()
  for (const summary of chunks) {
    const lane = lanes.get(summary.lane)
    if (lane) lane.push(summary)
    else lanes.set(summary.lane, [summary])
  }
  const wants = [...lanes.values()].map((lane) => wantsOfLane(scan, lane, identities))
  for await (const lane of fetchedAhead(wants, place)) scan.scanLane({ lane: lane[0]!.summary.lane, spans: spansOf(lane), identities })
  return scan.finish()
}

function scanOf(question: UnitQuestion, context: QueryJob['context'], budget: Budget): FunnelScan | JourneyScan | RetentionScan {
  if (question.kind === 'funnel') return new FunnelScan(question.request, context, budget)
  if (question.kind === 'journeys') return new JourneyScan(question.request, budget)
  return new RetentionScan(question.request, context, budget)
}

/** What breaks ties is needed only where a unit's events may lie in several spans or lanes. */
function wantsOfLane({ plan }: FunnelScan | JourneyScan | RetentionScan, lane: readonly ChunkSummary[], identities: Identities): Want[] {
  const spans = new Set(lane.map(({ date, first_position, last_position }) => `${date}/${first_position}-${last_position}`))
  const ties = spans.size > 1 || plan.unit === 'session' || (plan.unit === 'person' && identities.keys.length > 0)
  const wants = lane.map((summary) => {
    const { always, tied } = plan.columns(summary)
    return { summary, names: [...always, ...(ties ? tied : []), ...(plan.unit === 'session' ? ['device_id'] : [])] }
  })
  const bytes = wants.reduce((sum, want) => sum + bytesOf(want), 0)
  if (bytes > LANE_BYTES_MAX) throw new HopperError('HOP_LIMIT', `The query reads ${Math.ceil(bytes / 1024 ** 2)} MB of one lane; ${LANE_BYTES_MAX / 1024 ** 2} are allowed. Narrow the range.`)
  return wants
}

export function bytesOf({ summary, names }: Want): number {
  return names.reduce((sum, name) => sum + (summary.columns[name] ?? 0), 0)
}

/** Chunks in any order, cut into pieces of bounded size. */
export function batchesOf(wants: readonly Want[]): Want[][] {
  const batches: Want[][] = []
  let bytes = Infinity
  for (const want of wants) {
    const own = bytesOf(want)
    if (bytes + own > BATCH_BYTES) {
      batches.push([])
      bytes = 0
    }
    batches.at(-1)!.push(want)
    bytes += own
  }
  return batches
}

/** The chunks of each batch; the next batch is fetched while one is worked on, and after each the progress is told. */
export async function* fetchedAhead(batches: readonly (readonly Want[])[], { source, budget, progress }: Workplace): AsyncGenerator<Awaited<ReturnType<ChunkSource['chunks']>>> {
  const total = batches.flat().reduce((rows, { summary }) => rows + summary.rows, 0)
  let done = 0
  let next = batches[0] && source.chunks(batches[0])
  for (let at = 0; at < batches.length; at++) {
    const chunks = await next!
    const following = batches[at + 1]
    next = following && source.chunks(following)
    // Whoever leaves before the end does not look at it again.
    next?.catch(() => undefined)
    budget.check()
    yield chunks
    done += chunks.reduce((rows, { summary }) => rows + summary.rows, 0)
    progress({ done, total })
  }
}

import { HopperError, type ChunkSummary } from '@hopper/contracts'
import { EventPlan, FunnelPlan, JourneyScan, RetentionScan, type QueryContext } from '@hopper/engine'
import type { Archive } from '@hopper/storage'
import { identifyingColumns } from './identified-devices.ts'
import type { FetchedChunk, Question } from './query-job.ts'

/** What one query may hold of the archive at once. */
const FETCHED_BYTES_MAX = 512 * 1024 * 1024
const FETCHES_AT_ONCE = 16

interface Needs {
  readonly from: number
  readonly to: number
  readonly byPerson: boolean
  columns(summary: ChunkSummary): readonly string[]
}

interface Fetch {
  readonly summary: ChunkSummary
  readonly names: readonly string[]
}

/**
 * The chunks that a question reads, and those of all times that tell whose devices its people's are: both out of one list, so that they know of each other.
 * @throws HopperError when the question is not valid, or reads too much
 */
export async function fetchChunks(archive: Archive, app: string, question: Question, context: QueryContext): Promise<{ chunks: FetchedChunk[]; identifying: FetchedChunk[] }> {
  const needs = needsOf(question, context)
  const listed = await archive.list(needs.byPerson ? { app, from: 0, to: Number.MAX_SAFE_INTEGER } : { app, from: needs.from, to: needs.to })
  const inside = listed.filter(({ min_time, max_time }) => min_time < needs.to && max_time >= needs.from)
  const chunks = inside.map((summary) => ({ summary, names: [...new Set(needs.columns(summary))] }))
  const identified = needs.byPerson ? listed.filter(({ columns }) => Object.hasOwn(columns, 'user')) : []
  const identifying = identified.map((summary) => ({ summary, names: identifyingColumns }))
  checkSize([...chunks, ...identifying])
  return { chunks: await fetchAll(archive, chunks), identifying: await fetchAll(archive, identifying) }
}

function needsOf(question: Question, context: QueryContext): Needs {
  if (question.kind === 'events') {
    const plan = new EventPlan(question.request)
    return { from: plan.start, to: plan.end, byPerson: false, columns: (summary) => plan.columns(summary) }
  }
  const plan = planOf(question, context)
  const columns = (summary: ChunkSummary): readonly string[] => {
    const { always, tied } = plan.columns(summary)
    return [...always, ...tied, ...(plan.unit === 'session' ? ['device_id'] : [])]
  }
  return { from: plan.from, to: plan.end, byPerson: plan.unit === 'person', columns }
}

function planOf(question: Exclude<Question, { kind: 'events' }>, context: QueryContext): FunnelPlan {
  if (question.kind === 'funnel') return new FunnelPlan(question.request)
  if (question.kind === 'journeys') return new JourneyScan(question.request).plan
  return new RetentionScan(question.request, context).plan
}

function checkSize(fetches: readonly Fetch[]): void {
  const bytes = fetches.reduce((sum, { summary, names }) => names.reduce((all, name) => all + (summary.columns[name] ?? 0), sum), 0)
  if (bytes > FETCHED_BYTES_MAX) throw new HopperError('HOP_RANGE_INVALID', `The query reads ${Math.ceil(bytes / 1024 ** 2)} MB of the archive; ${FETCHED_BYTES_MAX / 1024 ** 2} are allowed.`)
}

async function fetchAll(archive: Archive, fetches: readonly Fetch[]): Promise<FetchedChunk[]> {
  const fetched: FetchedChunk[] = []
  for (let at = 0; at < fetches.length; at += FETCHES_AT_ONCE) {
    const some = fetches.slice(at, at + FETCHES_AT_ONCE)
    fetched.push(...(await Promise.all(some.map(async ({ summary, names }) => ({ summary, columns: await archive.columns(summary, names) })))))
  }
  return fetched
}

import { parentPort } from 'node:worker_threads'
import { HopperError } from '@hopper/contracts'
import { Chunk, identitiesOf, queryEvents, queryFunnel, queryJourneys, queryRetention, spansOf, timeBudget, type Budget, type LaneInput } from '@hopper/engine'
import { identifiedDevices } from './identified-devices.ts'
import type { FetchedChunk, QueryJob, QueryReply } from './query-job.ts'

/** Runs one query after the other, away from the thread that serves requests. */
parentPort!.on('message', (job: QueryJob) => {
  let reply: QueryReply
  try {
    reply = { result: run(job, timeBudget(job.limitMs)) }
  } catch (error) {
    const { message } = error as Error
    reply = { error: error instanceof HopperError ? { code: error.code, message } : { message } }
  }
  parentPort!.postMessage(reply)
})

function run({ question, app, context, chunks, identifying }: QueryJob, budget: Budget): unknown {
  if (question.kind === 'events') return queryEvents(question.request, chunks.map(chunkOf), budget)
  const lanes = lanesOf(app, chunks, identifying)
  if (question.kind === 'funnel') return queryFunnel(question.request, context, lanes, budget)
  if (question.kind === 'journeys') return queryJourneys(question.request, lanes, budget)
  return queryRetention(question.request, context, lanes, budget)
}

function lanesOf(app: string, chunks: readonly FetchedChunk[], identifying: readonly FetchedChunk[]): LaneInput[] {
  const identities = identitiesOf(app, identifiedDevices(identifying))
  const byLane = new Map<number, Chunk[]>()
  for (const fetched of chunks) {
    const { lane } = fetched.summary
    const found = byLane.get(lane)
    if (found) found.push(chunkOf(fetched))
    else byLane.set(lane, [chunkOf(fetched)])
  }
  return [...byLane].map(([lane, ofLane]) => ({ lane, spans: spansOf(ofLane), identities }))
}

function chunkOf({ summary, columns }: FetchedChunk): Chunk {
  return new Chunk(summary, (column) => columns.get(column))
}

import { MessageChannel } from 'node:worker_threads'
import type { Progress, QueryJob, WorkerJob } from './query-job.ts'
import type { JobHost } from './query-thread-handle.ts'

/**
 * Returns the number of threads that can share a job: a funnel over enough rows is split by lanes, anything else runs
 * in one.
 */
export function partsMaxOf({ question, chunks }: WorkerJob, splitRowsMin: number): number {
  return question.kind === 'funnel' && rowsOf(chunks) >= splitRowsMin
    ? Math.max(1, new Set(chunks.map(({ lane }) => lane)).size)
    : 1
}

/**
 * Splits a job into parts of about equal rows, each with lanes of its own; the first part merges the results of the
 * others.
 */
export function splitJob(job: WorkerJob, parts: number): Pick<QueryJob, 'chunks' | 'others' | 'leader'>[] {
  if (parts === 1) return [{ chunks: job.chunks, others: [] }]
  const channels = Array.from({ length: parts - 1 }, () => new MessageChannel())
  const shares = Array.from({ length: parts }, () => ({ rows: 0, chunks: [] as QueryJob['chunks'][number][] }))
  const lanes = [...Map.groupBy(job.chunks, ({ lane }) => lane)].sort(([a], [b]) => a - b)
  for (const [, chunks] of lanes) {
    const least = shares.reduce((a, b) => (b.rows < a.rows ? b : a))
    least.rows += rowsOf(chunks)
    least.chunks.push(...chunks)
  }
  return shares.map(({ chunks }, i) =>
    i === 0
      ? { chunks, others: channels.map(({ port1 }) => port1) }
      : { chunks, others: [], leader: channels[i - 1]!.port2 },
  )
}

/** Combines the progress of all parts into one. */
export function hostsOfParts(host: JobHost, { chunks }: WorkerJob, parts: number): JobHost[] {
  const done = new Array<number>(parts).fill(0)
  const total = rowsOf(chunks)
  return done.map((_, part) => ({
    answer: (request) => host.answer(request),
    progress(progress: Progress) {
      done[part] = progress.done
      host.progress({ done: done.reduce((sum, rows) => sum + rows, 0), total })
    },
  }))
}

function rowsOf(chunks: QueryJob['chunks']): number {
  return chunks.reduce((sum, { rows }) => sum + rows, 0)
}

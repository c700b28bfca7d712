import { monotonicMs, type JobOutcome, type QueryJob, type WorkerJob } from '../pool/query-job.ts'
import type { JobHost, QueryThreadHandle } from '../pool/query-thread-handle.ts'
import { hostsOfParts, splitJob } from '../pool/split-job.ts'

/**
 * Runs a job in several threads, one part in each, and returns the outcome once every part has ended. A part that fails
 * or is cancelled stops the others.
 */
export async function runParts(
  threads: readonly QueryThreadHandle[],
  job: WorkerJob,
  host: JobHost,
  limitMs: number,
  signal: AbortSignal,
): Promise<JobOutcome> {
  const shared = { ...job, until: monotonicMs() + limitMs, stop: new SharedArrayBuffer(4) }
  const parts = splitJob(job, threads.length).map((part): QueryJob => ({ ...shared, ...part }))
  const hosts = hostsOfParts(host, job, threads.length)
  const stop = (): void => parts.forEach((part, i) => threads[i]!.stop(part))
  /** outcomes of parts without a result, in the order in which they ended */
  const withoutResult: JobOutcome[] = []
  signal.addEventListener('abort', stop)
  const runs = parts.map(async (part, i) => {
    const outcome = await threads[i]!.run(part, hosts[i]!)
    if (outcome.kind === 'finished') return outcome
    withoutResult.push(outcome)
    stop()
    return outcome
  })
  if (signal.aborted) stop()
  const [first] = await Promise.all(runs)
  signal.removeEventListener('abort', stop)
  // A part is also cancelled if another one has failed, so report that failure.
  return withoutResult.find(({ kind }) => kind === 'failed') ?? withoutResult[0] ?? first!
}

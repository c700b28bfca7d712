import { monotonicMs, type JobOutcome, type QueryJob, type WorkerJob } from '../pool/query-job.ts'
import type { JobHost, QueryThreadHandle } from '../pool/query-thread-handle.ts'
import { hostsOfParts, splitJob } from '../pool/split-job.ts'

/**
 * Runs a job in several threads, one part in each, and returns the outcome once every part has ended. A part that fails
 * or is cancelled stops the others.
 */
export async function runParts(
  threads: readonly QueryThreadHandle[],
  task: WorkerJob,
  host: JobHost,
  limitMs: number,
  signal: AbortSignal,
): Promise<JobOutcome> {
  const given = { ...task, until: monotonicMs() + limitMs, stop: new SharedArrayBuffer(4) }
  const jobs = splitJob(task, threads.length).map((part): QueryJob => ({ ...given, ...part }))
  const hosts = hostsOfParts(host, task, threads.length)
  const stop = (): void => jobs.forEach((job, i) => threads[i]!.stop(job))
  /** outcomes of parts without a result, the first one first */
  const ended: JobOutcome[] = []
  signal.addEventListener('abort', stop)
  const begun = jobs.map(async (job, i) => {
    const outcome = await threads[i]!.run(job, hosts[i]!)
    if (outcome.kind === 'finished') return outcome
    ended.push(outcome)
    stop()
    return outcome
  })
  if (signal.aborted) stop()
  const [first] = await Promise.all(begun)
  signal.removeEventListener('abort', stop)
  // A part is also cancelled if another one has failed, so report that failure.
  return ended.find(({ kind }) => kind === 'failed') ?? ended[0] ?? first!
}

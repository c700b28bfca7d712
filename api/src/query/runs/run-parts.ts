import { JobCancelled } from '../chunk-source.ts'
import { monotonicMs, type QueryJob, type WorkerJob } from '../pool/query-job.ts'
import type { JobHost, QueryThreadHandle } from '../pool/query-thread-handle.ts'
import { hostsOfParts, splitTask } from '../pool/split-task.ts'

/**
 * Runs a job in several threads, one part in each, and returns the result as JSON. It returns once every part has
 * ended; a part that fails stops the others.
 */
export async function runParts(
  threads: readonly QueryThreadHandle[],
  task: WorkerJob,
  host: JobHost,
  limitMs: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const given = { ...task, until: monotonicMs() + limitMs, stop: new SharedArrayBuffer(4) }
  const jobs = splitTask(task, threads.length).map((part): QueryJob => ({ ...given, ...part }))
  const hosts = hostsOfParts(host, task, threads.length)
  const stop = (): void => jobs.forEach((job, i) => threads[i]!.stop(job))
  const failures: unknown[] = []
  signal.addEventListener('abort', stop)
  const begun = jobs.map((job, i) =>
    threads[i]!.run(job, hosts[i]!).catch((error: unknown) => {
      failures.push(error)
      stop()
    }),
  )
  if (signal.aborted) stop()
  const results = await Promise.all(begun)
  signal.removeEventListener('abort', stop)
  if (failures.length === 0) return results[0]!
  // A part is also cancelled if another one has failed, so report that failure.
  throw failures.find((error) => !(error instanceof JobCancelled)) ?? failures[0]
}

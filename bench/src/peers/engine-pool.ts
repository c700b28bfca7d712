import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { FunnelRequest, FunnelResult } from '@hopper/contracts'
import { mergeFunnelPartials, type Identities, type QueryContext } from '@hopper/engine'
import type { EngineJob, EngineReply, EngineShare } from './engine-job.ts'

/** Runs the engine on several threads, each with its own lanes, as a service would. */
export class EnginePool {
  cacheBytes = 0
  readonly #workers: readonly Worker[]
  readonly #context: QueryContext

  constructor(
    dir: string,
    kind: 'merged' | 'spans',
    lanes: number,
    threads: number,
    identities: Identities,
    context: QueryContext,
  ) {
    this.#context = context
    this.#workers = Array.from({ length: threads }, (_, thread) => {
      const ownLanes = Array.from({ length: lanes }, (_, lane) => lane).filter((lane) => lane % threads === thread)
      const workerData: EngineShare = {
        files: ownLanes.map((lane) => ({ lane, path: join(dir, `${kind}-${lane}`) })),
        identities,
      }
      return new Worker(new URL(`./engine-main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url), {
        workerData,
      })
    })
  }

  async funnel(request: FunnelRequest, hot: boolean): Promise<FunnelResult> {
    return (await this.#run(request, hot, false)) ?? (await this.#run(request, hot, true))!
  }

  async #run(request: FunnelRequest, hot: boolean, withTieBreakers: boolean): Promise<FunnelResult | undefined> {
    const job: EngineJob = { request, context: this.#context, hot, withTieBreakers }
    const replies = await Promise.all(
      this.#workers.map(async (worker) => {
        worker.postMessage(job)
        return ((await once(worker, 'message')) as [EngineReply])[0]
      }),
    )
    this.cacheBytes = replies.reduce((sum, reply) => sum + reply.cacheBytes, 0)
    return mergeFunnelPartials(
      request,
      this.#context,
      replies.map(({ partial }) => partial),
      withTieBreakers,
    )
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}

import { Worker } from 'node:worker_threads'
import { HopperError, type ErrorCode } from '@hopper/contracts'
import type { QueryJob, QueryReply } from './query-job.ts'

const WAITING_MAX = 32
/** The thread looks at its time itself; one that does not answer so long after it is ended. */
const GRACE_MS = 1_000

/** The thread of queries: one query at a time, each with a limit of its time, waiting included. */
export class QueryRunner {
  #thread: Worker | undefined
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** @throws HopperError HOP_QUERY_TIMEOUT when the limit has passed or too many wait */
  async run(job: QueryJob): Promise<unknown> {
    if (this.#waiting >= WAITING_MAX) throw new HopperError('HOP_QUERY_TIMEOUT', 'Too many queries are waiting.')
    const until = performance.now() + job.limitMs
    this.#waiting++
    const answer = this.#last.then(() => this.#ask({ ...job, limitMs: until - performance.now() }))
    this.#last = answer.catch(() => undefined)
    return answer.finally(() => this.#waiting--)
  }

  async close(): Promise<void> {
    await this.#thread?.terminate()
  }

  #ask(job: QueryJob): Promise<unknown> {
    if (job.limitMs <= 0) return Promise.reject(new HopperError('HOP_QUERY_TIMEOUT'))
    const thread = (this.#thread ??= startThread())
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        thread.off('message', answered).off('error', failed).off('exit', ended)
        thread.unref()
      }
      const fail = (error: HopperError): void => {
        end()
        this.#thread = undefined
        void thread.terminate()
        reject(error)
      }
      const answered = (reply: QueryReply): void => {
        end()
        if ('result' in reply) resolve(reply.result)
        else reject(new HopperError((reply.error.code as ErrorCode | undefined) ?? 'HOP_INTERNAL', reply.error.message))
      }
      const failed = (cause: unknown): void => fail(new HopperError('HOP_INTERNAL', undefined, { cause }))
      const ended = (): void => fail(new HopperError('HOP_INTERNAL', 'The thread of queries has ended.'))
      const timer = setTimeout(() => fail(new HopperError('HOP_QUERY_TIMEOUT')), job.limitMs + GRACE_MS)
      thread.on('message', answered).on('error', failed).on('exit', ended)
      thread.ref()
      thread.postMessage(job)
    })
  }
}

/** Runs from the sources as well as from the build. */
function startThread(): Worker {
  const fromSources = import.meta.url.endsWith('.ts')
  return new Worker(new URL(`./query-thread.${fromSources ? 'ts' : 'js'}`, import.meta.url), {
    execArgv: fromSources ? ['--conditions=source', '--disable-warning=ExperimentalWarning'] : ['--disable-warning=ExperimentalWarning'],
  })
}

import { Worker } from 'node:worker_threads'
import { HopperError, errorCatalogue, type ErrorCode } from '@hopper/contracts'
import { newZstdLock, terminateOutsideZstd } from '@hopper/engine'
import {
  monotonicMs,
  type WorkerRequest,
  type FromThread,
  type JobOutcome,
  type Progress,
  type QueryJob,
  type Reply,
  type ToThread,
} from './query-job.ts'

/** A thread checks its deadline itself; one that does not respond is terminated this long after it. */
const GRACE_MS = 1_000

/** Serves a thread from the main thread while it runs a job. */
export interface JobHost {
  /** Answers a request of the thread; undefined ends the job. */
  answer(request: WorkerRequest): Promise<Reply['answer']>
  progress(progress: Progress): void
}

/** A query thread, as seen by the main thread: it runs one job at a time, ended by its deadline or by `stop`. */
export class QueryThreadHandle {
  readonly #lock = newZstdLock()
  readonly #worker: Worker = startWorker(this.#lock)
  /** the app of its last job, whose decoded columns it has cached */
  app: string | undefined
  hasEnded = false
  #running: QueryJob | undefined

  constructor() {
    this.#worker.unref()
    this.#worker.on('exit', () => (this.hasEnded = true))
    // The running job has its own listener, which reports an error that ends the thread.
    this.#worker.on('error', () => (this.hasEnded = true))
  }

  /** Ends the job when the thread next checks its stop flag, or terminates the thread if it does not. */
  stop(job: QueryJob): void {
    Atomics.store(new Int32Array(job.stop), 0, 1)
    setTimeout(() => this.#running === job && void this.end(), GRACE_MS).unref()
  }

  /** Runs a job; it fails with the rejection of `host.answer`, if there is one, else with the error of the thread. */
  run(job: QueryJob, host: JobHost): Promise<JobOutcome> {
    this.app = job.app
    this.#running = job
    const worker = this.#worker
    let failure: unknown
    const reply = async (id: number, request: WorkerRequest): Promise<void> => {
      const answer = await host.answer(request).catch((error: unknown) => void (failure = error))
      if (this.#running === job) worker.postMessage({ reply: { id, answer } } satisfies ToThread)
    }
    return new Promise((resolve) => {
      const end = (outcome: JobOutcome): void => {
        clearTimeout(timer)
        worker.off('message', onMessage).off('error', crashed).off('exit', onExit)
        worker.unref()
        this.#running = undefined
        resolve(outcome)
      }
      const fail = (error: unknown): void => end({ kind: 'failed', error })
      const crashed = (cause: unknown): void => fail(new HopperError('HOP_INTERNAL', undefined, { cause }))
      const onExit = (): void => fail(new HopperError('HOP_QUERY_TIMEOUT'))
      const onMessage = (message: FromThread): void => {
        if ('progress' in message) return host.progress(message.progress)
        if ('ask' in message) return void reply(message.id, message)
        if ('result' in message) end({ kind: 'finished', json: message.result })
        else if (failure !== undefined) fail(failure)
        else if ('over' in message) end({ kind: 'cancelled' })
        else fail(errorOf(message.error))
      }
      const timer = setTimeout(() => void this.end(), Math.max(0, job.until - monotonicMs()) + GRACE_MS)
      worker.on('message', onMessage).on('error', crashed).on('exit', onExit)
      worker.ref()
      try {
        worker.postMessage({ job } satisfies ToThread, job.leader ? [job.leader] : job.others)
      } catch (error) {
        fail(error)
      }
    })
  }

  async end(): Promise<void> {
    this.hasEnded = true
    await terminateOutsideZstd(this.#worker, this.#lock)
  }
}

function errorOf({ code, message, details }: Extract<FromThread, { error: unknown }>['error']): HopperError {
  if (code === undefined) return new HopperError('HOP_INTERNAL', undefined, { cause: new Error(message) })
  const { hint } = errorCatalogue[code as ErrorCode]
  const ownMessage = message.endsWith(hint) ? message.slice(0, -hint.length).trim() : message
  return new HopperError(code as ErrorCode, ownMessage, details === undefined ? {} : { details })
}

/** Starts the worker from the sources or from the build, whichever is running. */
function startWorker(workerData: SharedArrayBuffer): Worker {
  const fromSources = import.meta.url.endsWith('.ts')
  return new Worker(new URL(`./query-thread.${fromSources ? 'ts' : 'js'}`, import.meta.url), {
    workerData,
    execArgv: fromSources
      ? ['--conditions=source', '--disable-warning=ExperimentalWarning']
      : ['--disable-warning=ExperimentalWarning'],
  })
}

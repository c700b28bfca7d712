import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** A worker thread of this folder by its name; runs from the sources as well as from the build. */
export function startThread(name: string, workerData: unknown): Worker {
  const fromSources = import.meta.url.endsWith('.ts')
  const worker = new Worker(new URL(`./${name}.${fromSources ? 'ts' : 'js'}`, import.meta.url), {
    workerData, execArgv: fromSources ? ['--conditions=source', '--disable-warning=ExperimentalWarning'] : ['--disable-warning=ExperimentalWarning'],
  })
  worker.unref()
  return worker
}

/** Asks the thread to end and waits for it. */
export async function endThread(worker: Worker): Promise<void> {
  const ended = once(worker, 'exit')
  worker.ref()
  worker.postMessage({ end: true })
  await ended
}

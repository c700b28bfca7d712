import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** Starts a worker thread from a file, given without its suffix: works from the sources and from the build. */
export function startThread(file: URL, workerData: unknown): Worker {
  const fromSources = import.meta.url.endsWith('.ts')
  const worker = new Worker(new URL(`${file.href}.${fromSources ? 'ts' : 'js'}`), {
    workerData,
    execArgv: fromSources
      ? ['--conditions=source', '--disable-warning=ExperimentalWarning']
      : ['--disable-warning=ExperimentalWarning'],
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

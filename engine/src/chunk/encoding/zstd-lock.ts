import type { Worker } from 'node:worker_threads'

const FREE = 0
const BUSY = 1
const ENDED = 2
let lock: Int32Array | undefined

/** Creates the lock that a thread that unpacks chunks shares with the thread that may terminate it. */
export function newZstdLock(): SharedArrayBuffer {
  return new SharedArrayBuffer(4)
}

/** Installs the lock in a thread that may be terminated; must be called before anything else. */
export function installZstdLock(shared: SharedArrayBuffer): void {
  lock = new Int32Array(shared)
}

/**
 * Runs work that creates a zstd stream. Node aborts the whole process if a thread is terminated between the creation
 * and the initialization of such a stream ("close before init", node_zlib.cc), so the lock prevents a termination
 * meanwhile. A thread that is being terminated blocks here.
 */
export function withZstd<T>(work: () => T): T {
  if (!lock) return work()
  if (Atomics.compareExchange(lock, 0, FREE, BUSY) === ENDED) Atomics.wait(lock, 0, ENDED)
  try {
    return work()
  } finally {
    Atomics.store(lock, 0, FREE)
    Atomics.notify(lock, 0)
  }
}

/** Terminates a thread that installed the lock as soon as it is outside zstd. */
export async function terminateOutsideZstd(
  thread: Pick<Worker, 'terminate'>,
  shared: SharedArrayBuffer,
): Promise<void> {
  const ours = new Int32Array(shared)
  while (Atomics.compareExchange(ours, 0, FREE, ENDED) === BUSY) await Atomics.waitAsync(ours, 0, BUSY).value
  await thread.terminate()
}

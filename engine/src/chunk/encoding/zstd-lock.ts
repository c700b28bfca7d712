import type { Worker } from 'node:worker_threads'

const FREE = 0
const BUSY = 1
const ENDED = 2
let lock: Int32Array | undefined

/** What a thread that unpacks chunks shares with the one that may end it. */
export function newZstdLock(): SharedArrayBuffer {
  return new SharedArrayBuffer(4)
}

/** In a thread that may be ended, before it does anything else. */
export function installZstdLock(shared: SharedArrayBuffer): void {
  lock = new Int32Array(shared)
}

/**
 * Runs what makes a stream of zstd. Node aborts the whole process when a thread is terminated after such a stream was
 * made and before it was started ("close before init", node_zlib.cc), so nobody may end this thread meanwhile; and a
 * thread that is being ended goes no further than here.
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

/** Terminates a thread that has installed the lock, whatever it does, as soon as it is outside of zstd. */
export async function terminateOutsideZstd(
  thread: Pick<Worker, 'terminate'>,
  shared: SharedArrayBuffer,
): Promise<void> {
  const ours = new Int32Array(shared)
  while (Atomics.compareExchange(ours, 0, FREE, ENDED) === BUSY) await Atomics.waitAsync(ours, 0, BUSY).value
  await thread.terminate()
}

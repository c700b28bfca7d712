import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { newZstdLock, terminateOutsideZstd } from './zstd-lock.ts'

/**
 * Starts a thread that enters zstd again and again and posts a message each time; the first time it stays inside until
 * `gate` opens.
 */
function threadInZstd(lock: SharedArrayBuffer, gate: SharedArrayBuffer): Worker {
  const source = `
    const { parentPort, workerData: { lock, gate, module } } = require('node:worker_threads')
    import(module).then(({ installZstdLock, withZstd }) => {
      installZstdLock(lock)
      for (let round = 0; ; round++) withZstd(() => {
        parentPort.postMessage(round)
        if (round === 0) Atomics.wait(new Int32Array(gate), 0, 0)
      })
    })`
  return new Worker(source, {
    eval: true,
    workerData: { lock, gate, module: new URL('./zstd-lock.ts', import.meta.url).href },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
}

it('a thread inside zstd is terminated after it leaves, and does not enter again', async () => {
  const [lock, gate] = [newZstdLock(), new SharedArrayBuffer(4)]
  const thread = threadInZstd(lock, gate)
  const exited = once(thread, 'exit')
  await once(thread, 'message')
  let ended = false
  const ending = terminateOutsideZstd(thread, lock).then(() => (ended = true))
  // A termination that does not wait would show up within these turns.
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  expect(ended).toBe(false)
  Atomics.store(new Int32Array(gate), 0, 1)
  Atomics.notify(new Int32Array(gate), 0)
  await ending
  await exited
  expect(new Int32Array(lock)[0]).toBe(2)
})

it('a thread that never installed the lock is terminated immediately', async () => {
  const thread = new Worker('setInterval(() => {}, 1000)', { eval: true })
  await terminateOutsideZstd(thread, newZstdLock())
  expect(thread.threadId).toBe(-1)
})

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'

const file = new URL('./thread-priority.ts', import.meta.url).href

/** Returns the priority after lowering that of a thread started with `nice`. */
async function inThread(nice: number): Promise<unknown> {
  const source = `
    const { getPriority, setPriority } = require('node:os')
    const { parentPort } = require('node:worker_threads')
    setPriority(${nice})
    import('${file}').then(({ lowerThreadPriority }) => {
      lowerThreadPriority()
      parentPort.postMessage(getPriority())
    })`
  const worker = new Worker(source, { eval: true })
  const [answer] = await once(worker, 'message')
  await worker.terminate()
  return answer
}

it.runIf(process.platform === 'linux')('lowers the priority of a thread but never raises it', async () => {
  expect([await inThread(0), await inThread(15)]).toEqual([10, 15])
})

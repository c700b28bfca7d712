import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'

const file = new URL('./thread-priority.ts', import.meta.url).href

/** The priority of a thread that had `nice` before. */
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

it.runIf(process.platform === 'linux')(
  'a thread gets a lower priority, but never a higher one than it was started with',
  async () => {
    expect([await inThread(0), await inThread(15)]).toEqual([10, 15])
  },
)

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { broker } from '../testing/kafka.fixture.ts'

/**
 * Connects with its own kafkajs, waits a moment, and returns the warnings of Node and the number of checks of the
 * queue.
 */
const connected = `
  const { parentPort, workerData } = require('node:worker_threads')
  const warnings = []
  process.on('warning', ({ name }) => warnings.push(name))
  ;(async () => {
    if (workerData.repair) (await import(workerData.repair)).repairRequestQueue()
    const { Kafka, logLevel } = require(workerData.kafkajs)
    const RequestQueue = require(workerData.kafkajs + '/src/network/requestQueue')
    const admin = new Kafka({ brokers: [workerData.broker], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    let looks = 0
    const check = RequestQueue.prototype.checkPendingRequests
    RequestQueue.prototype.checkPendingRequests = function () { looks++; return check.call(this) }
    await new Promise((done) => setTimeout(done, 300))
    await admin.disconnect()
    parentPort.postMessage({ warnings, looks })
  })()
`

async function run(repair: boolean): Promise<{ warnings: string[]; looks: number }> {
  const workerData = {
    broker,
    kafkajs: new URL('../../../../node_modules/kafkajs', import.meta.url).pathname,
    repair: repair && new URL('./request-queue.ts', import.meta.url).href,
  }
  const [answer] = (await once(new Worker(connected, { eval: true, workerData, stderr: true }), 'message')) as [
    { warnings: string[]; looks: number },
  ]
  return answer
}

describe.skipIf(!broker)('the request queue of kafkajs', () => {
  it('original: makes Node warn, and wakes an idle process continuously: the defect repaired here', async () => {
    const { warnings, looks } = await run(false)
    expect(warnings).toContain('TimeoutNegativeWarning')
    expect(looks).toBeGreaterThan(3)
  })

  it('repaired: sets a timer only for queued requests', async () => {
    expect(await run(true)).toEqual({ warnings: [], looks: 0 })
  })
})

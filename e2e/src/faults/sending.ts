import { sendUntilAcknowledged } from '../acknowledged.ts'
import { mulberry32, type RandomRequest } from '../random-traffic.ts'
import { until } from '../until.ts'
import { keys } from './app.ts'

const SENDERS = 12
const REPEATED_SHARE = 0.1
const THROUGH_MS = 240_000

/** Traffic on its way: the requests of a device one after the other, each until it is acknowledged, some of them sent again afterwards. */
export class Sending {
  /** requests that were acknowledged, repetitions included */
  acknowledged = 0
  /** answers that told to come again, and requests without an answer */
  refused = 0
  /** events that were sent again although they were acknowledged */
  repeatedEvents = 0
  readonly done: Promise<void>
  readonly #requests: number

  /** At most `perSecond` requests. */
  constructor(ingestUrl: string, traffic: readonly (readonly RandomRequest[])[], perSecond: number, seed: number) {
    const random = mulberry32(seed)
    const queue = [...traffic]
    const started = performance.now()
    let begun = 0
    this.#requests = traffic.reduce((sum, { length }) => sum + length, 0)
    const send = async (request: RandomRequest): Promise<void> => {
      await until(() => begun < ((performance.now() - started) / 1000) * perSecond, THROUGH_MS)
      begun++
      this.refused += await sendUntilAcknowledged(ingestUrl, keys.write, request)
      this.acknowledged++
    }
    const sender = async (): Promise<void> => {
      for (let requests = queue.shift(); requests; requests = queue.shift()) {
        for (const request of requests) {
          await send(request)
          if (random() >= REPEATED_SHARE) continue
          await send(request)
          this.repeatedEvents += request.events.length
        }
      }
    }
    this.done = Promise.all(Array.from({ length: SENDERS }, sender)).then(() => undefined)
    this.done.catch(() => undefined)
  }

  /** Resolves when this share of the requests is acknowledged. */
  async through(share: number): Promise<void> {
    await Promise.race([until(() => this.acknowledged >= share * this.#requests, THROUGH_MS), this.done])
  }
}

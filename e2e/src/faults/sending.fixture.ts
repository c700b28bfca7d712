import { sendUntilAcknowledged } from '../traffic/send-until-acknowledged.ts'
import { mulberry32, randomTraffic, type RandomRequest } from '../traffic/random-traffic.ts'
import { until } from '../installations/until.ts'

const SENDERS = 12
const DEVICES_MAX = 20_000
const EVENTS_PER_DEVICE = 12
const REPEATED_SHARE = 0.1
const WAIT_TIMEOUT_MS = 240_000

/** Requests by device, in the order in which they were sent. */
export type Sent = readonly (readonly RandomRequest[])[]

export interface Load {
  readonly ingestUrl: string
  /** the write key of the app */
  readonly key: string
  /** requests per second */
  readonly perSecond: number
  readonly seed: number
}

/**
 * Sends traffic until it is finished. Requests of a device go in sequence, each until it is acknowledged, and some are
 * sent again afterwards.
 */
export class Sending {
  /** the newest time of an event, ms */
  readonly now = Date.now()
  /** acknowledged requests, repetitions included */
  acknowledged = 0
  /** answers that ask for a retry, and requests without an answer */
  refused = 0
  /** events that were sent again although they were acknowledged */
  repeatedEvents = 0
  readonly #load: Load
  readonly #random: () => number
  readonly #devices: Sent
  readonly #startedAt = performance.now()
  readonly #done: Promise<unknown>
  #devicesBegun = 0
  #requestsBegun = 0
  #stopping = false

  constructor(load: Load) {
    this.#load = load
    this.#random = mulberry32(load.seed)
    this.#devices = randomTraffic({
      devices: DEVICES_MAX,
      eventsPerDevice: EVENTS_PER_DEVICE,
      seed: load.seed,
      now: this.now,
    })
    this.#done = Promise.all(Array.from({ length: SENDERS }, () => this.#sender()))
    this.#done.catch(() => undefined)
  }

  /** Resolves when n more requests are acknowledged. */
  async more(requests: number): Promise<void> {
    const wanted = this.acknowledged + requests
    await Promise.race([until(() => this.acknowledged >= wanted, WAIT_TIMEOUT_MS), this.#done])
  }

  /** Starts no further device; returns the traffic sent, once all of it is acknowledged. */
  async finish(): Promise<Sent> {
    this.#stopping = true
    await this.#done
    return this.#devices.slice(0, this.#devicesBegun)
  }

  async #sender(): Promise<void> {
    while (!this.#stopping && this.#devicesBegun < this.#devices.length) {
      for (const request of this.#devices[this.#devicesBegun++]!) {
        await this.#send(request)
        if (this.#random() >= REPEATED_SHARE) continue
        await this.#send(request)
        this.repeatedEvents += request.events.length
      }
    }
  }

  async #send(request: RandomRequest): Promise<void> {
    const { ingestUrl, key, perSecond } = this.#load
    await until(() => this.#requestsBegun < ((performance.now() - this.#startedAt) / 1000) * perSecond, WAIT_TIMEOUT_MS)
    this.#requestsBegun++
    this.refused += await sendUntilAcknowledged(ingestUrl, key, request)
    this.acknowledged++
  }
}

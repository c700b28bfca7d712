import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { userAgent } from '../harness/bodies.ts'
import { floodShapes } from './flood-shapes.ts'

const EVENTS_PER_REQUEST = 1_000
const SENDERS = 4
const BODIES = 8
/** Placeholder in a body for a text that differs in each request. */
const OWN = '@own@'

/** A flood to send: its destination and its kind. */
export interface FloodOrder {
  readonly url: string
  readonly flood: string
}

/** The part of a flood that ingest accepted. */
export interface FloodSent {
  readonly events: number
  readonly bytes: number
}

/**
 * A thread that sends as much as ingest admits until it is stopped. It is a thread because building bodies must not
 * delay the measurement.
 */
const { url, flood } = workerData as FloodOrder
const bodies = Array.from({ length: BODIES }, (_, body) =>
  JSON.stringify({
    device_id: OWN,
    events: Array.from({ length: EVENTS_PER_REQUEST }, (_, seq) => ({
      event_id: `${OWN}-${body}-${seq}`,
      type: 'custom',
      name: 'n',
      timestamp: Date.now(),
      seq,
      ...floodShapes[flood]!(),
    })),
  }).split(OWN),
)
const sent = { events: 0, bytes: 0 }
let ended = false
const started = Promise.withResolvers<void>()
parentPort!.on('message', (word: 'begin' | 'end') => (word === 'begin' ? started.resolve() : (ended = true)))
parentPort!.postMessage('ready')
await started.promise
await Promise.all(
  Array.from({ length: SENDERS }, async (_, sender) => {
    for (let index = sender; !ended; index++) await send(bodies[index % BODIES]!.join(randomUUID()))
  }),
)
parentPort!.postMessage(sent satisfies FloodSent)
parentPort!.close()

async function send(body: string): Promise<void> {
  const headers = { 'content-type': 'application/json', 'user-agent': userAgent }
  const { status } = await fetch(url, { method: 'POST', headers, body }).then(async (answer) => {
    await answer.arrayBuffer()
    return answer
  })
  if (status === 429) return void (await pause(100))
  if (status >= 300) throw new Error(`ingest answered ${status}`)
  sent.events += EVENTS_PER_REQUEST
  sent.bytes += body.length
}

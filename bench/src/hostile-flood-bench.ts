import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { cluster, counted, getJson, standalone, type Product } from '@hopper/e2e'
import { userAgent } from './bodies.ts'
import { quantile } from './hostile.ts'
import { withOwnEngines } from './own-engines.ts'
import { peakMegabytesOf } from './process-usage.ts'

const DAY_MS = 86_400_000
const EVENTS_PER_REQUEST = 1_000
const SENDERS = 4
const VICTIM_EVERY_MS = 250
const LOOK_EVERY_MS = 100
const SETTLE_MS_MAX = 600_000
const DELAY_MS_MAX = 2_000
const ingestMax = 25 * 365
const keys = { hostile: 'hw_flood_0123456789abcdef', other: 'hw_other_0123456789abcdef', read: 'hr_other_0123456789abcdef' }
const apps = [
  { id: 'flood', name: 'Flood', timezone: 'UTC', write_key: keys.hostile, read_key: 'hr_flood_0123456789abcdef' },
  { id: 'other', name: 'Other', timezone: 'UTC', write_key: keys.other, read_key: keys.read },
]
const provision = { organizations: [{ id: 'o', name: 'O', apps }] }
const env = { HOPPER_LOG_LEVEL: 'warn', HOPPER_DEMO: 'false' }

type Way = 'standalone' | 'cluster'
type Shape = (at: number) => object

/** What one app may send that looks worst for an aggregator. */
const floods: Readonly<Record<string, Shape>> = {
  'random keys': () => ({ data: Object.fromEntries(Array.from({ length: 64 }, () => [randomBytes(3).toString('base64url'), 1])) }),
  'thousands of dates': () => ({ timestamp: Date.now() - Math.floor(Math.random() * ingestMax) * DAY_MS }),
  'other values': () => ({ data: { a: randomBytes(9).toString('base64url'), b: Math.random(), c: randomUUID() } }),
}

/** What the events of one app wait while another sends as much as it may, of the worst kinds. Ends with an error when they wait too long. */
export async function hostileFloodBench(seconds = 30): Promise<void> {
  for (const flood of Object.keys(floods)) await underFlood('standalone', await standalone({ provision, env }), flood, seconds)
  await withOwnEngines(async (engines) => {
    for (const flood of Object.keys(floods)) await underFlood('cluster', await cluster(engines, { provision, env }), flood, seconds)
  })
}

async function underFlood(way: Way, product: Product, flood: string, seconds: number): Promise<void> {
  try {
    await product.start()
    const services = product.services.filter(({ name }) => ['start', 'aggregator'].some((part) => name.startsWith(part)))
    const peak = (): number => Math.max(...services.map(({ pid }) => peakMegabytesOf(pid!)))
    const idle = peak()
    const end = performance.now() + seconds * 1_000
    const [sent, delays] = await Promise.all([attack(product, floods[flood]!, end), delaysOf(product, end)])
    const begun = performance.now()
    await counted(product, keys.read, SETTLE_MS_MAX)
    const reached = delays.length > 0 && quantile(delays, 1) <= DELAY_MS_MAX
    if (!reached) process.exitCode = 1
    const rate = `${Math.round(sent.events / seconds)} events/s and ${(sent.bytes / seconds / 1e6).toFixed(1)} MB/s`
    const waited = `p50 ${quantile(delays, 0.5).toFixed(0)} ms, longest ${quantile(delays, 1).toFixed(0)} ms of ${delays.length}`
    const rest = `counted ${((performance.now() - begun) / 1_000).toFixed(1)} s after its end, peak ${Math.round(peak() - idle)} MB above idle`
    console.log(`  ${flood}, ${way}: ${rate}; ${rest}; another app's events are counted after ${waited}, bar ${DELAY_MS_MAX} ms ${reached ? 'reached' : 'NOT REACHED'}`)
  } finally {
    await product.dispose()
  }
}

/** Sends as much as the door takes until an instant. */
async function attack(product: Product, shape: Shape, end: number): Promise<{ events: number; bytes: number }> {
  const sent = { events: 0, bytes: 0 }
  const bodies = Array.from({ length: 32 }, () => () => JSON.stringify({
    device_id: randomUUID(),
    events: Array.from({ length: EVENTS_PER_REQUEST }, (_, at) => ({ event_id: randomUUID(), type: 'custom', name: 'n', timestamp: Date.now(), seq: at, ...shape(at) })),
  }))
  await Promise.all(Array.from({ length: SENDERS }, async (_, sender) => {
    for (let at = sender; performance.now() < end; at++) {
      const body = bodies[at % bodies.length]!()
      const answer = await post(product, keys.hostile, body)
      if (answer === 429) await pause(100)
      else if (answer >= 300) throw new Error(`ingest answered ${answer}`)
      else {
        sent.events += EVENTS_PER_REQUEST
        sent.bytes += body.length
      }
    }
  }))
  return sent
}

/** Sends one view after the other, each of its own page and device, and looks when it is counted. */
async function delaysOf(product: Product, end: number): Promise<number[]> {
  const waiting = new Map<string, number>()
  const delays: number[] = []
  const look = async (): Promise<void> => {
    const today = new Date().toISOString().slice(0, 10)
    const { rows } = await getJson<{ rows: { url: string }[] }>(product, `/api/v1/apps/other/pages/views?from=${today}&to=${today}`, keys.read)
    for (const { url: page } of rows) {
      const since = waiting.get(page)
      if (since !== undefined && waiting.delete(page)) delays.push(performance.now() - since)
    }
  }
  const sending = (async () => {
    for (let at = 0; performance.now() < end; at++) {
      const page = `https://other.example/p${at}`
      const event = { event_id: randomUUID(), type: 'url_change', from: '', to: page, elapsed_time: 0, timestamp: Date.now(), seq: at }
      const status = await post(product, keys.other, JSON.stringify({ device_id: randomUUID(), events: [event] }))
      if (status >= 300) throw new Error(`ingest answered ${status} to the other app`)
      waiting.set(page, performance.now())
      await pause(VICTIM_EVERY_MS)
    }
  })()
  const begun = performance.now()
  while (performance.now() < end || waiting.size > 0) {
    await look()
    if (performance.now() - begun > SETTLE_MS_MAX) throw new Error(`${waiting.size} events of the other app are not counted`)
    await pause(LOOK_EVERY_MS)
  }
  await sending
  return delays
}

async function post(product: Product, key: string, body: string): Promise<number> {
  const headers = { 'content-type': 'application/json', 'user-agent': userAgent }
  const answer = await fetch(`${product.ingestUrl}/v1/events?key=${key}`, { method: 'POST', headers, body })
  await answer.arrayBuffer()
  return answer.status
}

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { cluster, whenCounted, getJson, standalone, type Installation } from '@hopper/e2e'
import { userAgent } from '../harness/bodies.ts'
import type { FloodOrder, FloodSent } from './flood-sender-main.ts'
import { floodShapes } from './flood-shapes.ts'
import { quantile } from './hostile.ts'
import { withMemoryLimit, type MemoryLimit } from '../harness/memory-limit.ts'
import { withOwnEngines } from '../harness/own-engines.ts'
import { peakMegabytesOf } from '../harness/process-usage.ts'

const VICTIM_INTERVAL_MS = 250
const POLL_MS = 100
const SETTLE_MS_MAX = 600_000
const DELAY_MS_MAX = 2_000
const CONTAINER_BYTES = 1_000_000_000
const keys = {
  hostile: 'hw_flood_0123456789abcdef',
  other: 'hw_other_0123456789abcdef',
  read: 'hr_other_0123456789abcdef',
}
const apps = [
  { id: 'flood', name: 'Flood', timezone: 'UTC', write_key: keys.hostile, read_key: 'hr_flood_0123456789abcdef' },
  { id: 'other', name: 'Other', timezone: 'UTC', write_key: keys.other, read_key: keys.read },
]
const provision = { organizations: [{ id: 'o', name: 'O', apps }] }
const env = { HOPPER_LOG_LEVEL: 'warn', HOPPER_DEMO: 'false' }

type Way = 'standalone' | 'cluster'

/**
 * Measures how long the events of one app wait while another sends the worst kinds as fast as it may, and what that
 * costs. Ends with an error when they wait too long, or too much memory is used.
 */
export async function hostileFloodBench(seconds = 30): Promise<void> {
  const floods = Object.keys(floodShapes)
  for (const flood of floods) await underFlood('standalone', await standalone({ provision, env }), flood, seconds)
  await withOwnEngines(async (engines) => {
    for (const flood of floods) await underFlood('cluster', await cluster(engines, { provision, env }), flood, seconds)
  })
}

async function underFlood(way: Way, installation: Installation, flood: string, seconds: number): Promise<void> {
  let limit: MemoryLimit | undefined
  try {
    limit = await withMemoryLimit(CONTAINER_BYTES, () => installation.start())
    const services = installation.services.filter(({ name }) =>
      ['start', 'aggregator'].some((part) => name.startsWith(part)),
    )
    const peak = (): number => Math.max(...services.map(({ pid }) => peakMegabytesOf(pid!)))
    const idle = peak()
    const sender = await readySender({ url: `${installation.ingestUrl}/v1/events?key=${keys.hostile}`, flood })
    const end = performance.now() + seconds * 1_000
    const [sent, delays] = await Promise.all([attack(sender, end), delaysOf(installation, end)])
    const startedAt = performance.now()
    await whenCounted(installation, keys.read, SETTLE_MS_MAX)
    const longest = Math.max(...delays)
    const killed = limit?.kills() ?? 0
    const reached = delays.length > 0 && longest <= DELAY_MS_MAX && killed === 0
    if (!reached) process.exitCode = 1
    delays.sort((a, b) => a - b)
    const megabytes = (sent.bytes / seconds / 1e6).toFixed(1)
    const rate = `${Math.round(sent.events / seconds)} events/s and ${megabytes} MB/s taken`
    const rest = `all counted ${((performance.now() - startedAt) / 1_000).toFixed(1)} s after its end`
    const peaked = `peak ${Math.round(peak() - idle)} MB above idle`
    const within = limit ? `${killed} kills in 1 GB` : 'no bound of memory can be had here'
    const waited = `p50 ${quantile(delays, 0.5).toFixed(0)} ms, longest ${longest.toFixed(0)} ms of ${delays.length}`
    console.log(
      `  ${flood}, ${way}: ${rate}; ${rest}; ${peaked}, ${within}; ` +
        `another app's events are counted after ${waited}, ` +
        `bar ${DELAY_MS_MAX} ms: ${reached ? 'reached' : 'NOT REACHED'}`,
    )
  } finally {
    await installation.dispose()
    limit?.remove()
  }
}

/** Starts a thread and waits until its bodies are built. */
async function readySender(order: FloodOrder): Promise<Worker> {
  const sender = new Worker(new URL('./flood-sender-main.js', import.meta.url), { workerData: order })
  await once(sender, 'message')
  return sender
}

/** Sends as much as ingest admits until a point in time. */
async function attack(sender: Worker, end: number): Promise<FloodSent> {
  sender.postMessage('begin')
  await pause(Math.max(0, end - performance.now()))
  sender.postMessage('end')
  const [sent] = (await once(sender, 'message')) as [FloodSent]
  return sent
}

/** Sends one view after the other, each with its own page and device, and measures when it is counted. */
async function delaysOf(installation: Installation, end: number): Promise<number[]> {
  const waiting = new Map<string, number>()
  const delays: number[] = []
  const poll = async (): Promise<void> => {
    const today = new Date().toISOString().slice(0, 10)
    const { rows } = await getJson<{ rows: { url: string }[] }>(
      installation,
      `/api/v1/apps/other/pages/views?from=${today}&to=${today}`,
      keys.read,
    )
    for (const { url: page } of rows) {
      const since = waiting.get(page)
      if (since !== undefined && waiting.delete(page)) delays.push(performance.now() - since)
    }
  }
  const sending = (async () => {
    for (let index = 0; performance.now() < end; index++) {
      const page = `https://other.example/p${index}`
      const event = {
        event_id: randomUUID(),
        type: 'url_change',
        from: '',
        to: page,
        elapsed_time: 0,
        timestamp: Date.now(),
        seq: index,
      }
      const status = await post(installation, keys.other, JSON.stringify({ device_id: randomUUID(), events: [event] }))
      if (status >= 300) throw new Error(`ingest answered ${status} to the other app`)
      waiting.set(page.slice(8), performance.now())
      await pause(VICTIM_INTERVAL_MS)
    }
  })()
  const startedAt = performance.now()
  while (performance.now() < end || waiting.size > 0) {
    await poll()
    if (performance.now() - startedAt > SETTLE_MS_MAX)
      throw new Error(`${waiting.size} events of the other app are not counted`)
    await pause(POLL_MS)
  }
  await sending
  return delays
}

async function post(installation: Installation, key: string, body: string): Promise<number> {
  const headers = { 'content-type': 'application/json', 'user-agent': userAgent }
  const answer = await fetch(`${installation.ingestUrl}/v1/events?key=${key}`, { method: 'POST', headers, body })
  await answer.arrayBuffer()
  return answer.status
}

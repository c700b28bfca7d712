import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { whenCounted, standalone, whenAdmitted, type Installation } from '@hopper/e2e'
import type { Latencies } from './hostile.ts'

const EVENTS = 60_000
const EVENTS_PER_BODY = 1_000
const DAYS = 30
const DAY_MS = 86_400_000
const FUNNEL_CONCURRENCY = 90
const STEPS = 30
const PROBE_INTERVAL_MS = 10
/** maximum for one key */
const UNREAD_EXPORTS = 8
const UNREAD_LIVE_STREAMS = 25
const PIPELINED = 1_000

export const keys = {
  shop: { write: 'hw_starving_shop_012345678', read: 'hr_starving_shop_012345678' },
  other: { write: 'hw_starving_other_01234567', read: 'hr_starving_other_01234567' },
} as const
type App = keyof typeof keys
const stages = [
  { id: 1, name: 'See', url: '/see' },
  { id: 2, name: 'Buy', url: '/buy' },
]
const provision = {
  organizations: [
    {
      id: 'bench',
      name: 'Bench',
      admin_key: 'ha_starving_0123456789',
      apps: Object.entries(keys).map(([id, { write, read }]) => ({
        id,
        name: id,
        write_key: write,
        read_key: read,
        funnels: [{ id: 'sale', name: 'Sale', stages }],
      })),
    },
  ],
}

export const probes = ['ingest', 'healthcheck', 'funnel', 'panel'] as const
export type Probe = (typeof probes)[number]
/** The duration of each probe in ms, ascending. */
export type Starvation = Readonly<Record<Probe, Latencies>>

export interface StarvationReport {
  readonly idle: Starvation
  readonly loaded: Starvation
  /** outcome of the attacking queries: "status code" and count */
  readonly ends: ReadonlyMap<string, number>
}

/**
 * Measures a whole installation idle, and under the load of one read key, for `ms` each. The load is 90 funnels of 30
 * regular expressions in flight all the time, exports and live streams that are never read, and a connection on which
 * 1,000 queries arrive together.
 */
export async function starve(ms: number): Promise<StarvationReport> {
  const installation = await startFilled()
  try {
    await probe(installation, 1_000)
    const idle = await probe(installation, ms)
    const ends = new Map<string, number>()
    const leaving = new AbortController()
    const attackers = [
      ...Array.from({ length: FUNNEL_CONCURRENCY }, (_, i) => attack(installation, i, ends, leaving.signal)),
      ...Array.from({ length: UNREAD_EXPORTS }, () =>
        leaveUnread(installation, `export?format=ndjson&${new URLSearchParams(range()).toString()}`, leaving.signal),
      ),
      ...Array.from({ length: UNREAD_LIVE_STREAMS }, () => leaveUnread(installation, 'live', leaving.signal)),
      pipeline(installation, leaving.signal),
    ]
    await pause(500)
    const loaded = await probe(installation, ms)
    leaving.abort()
    await Promise.all(attackers)
    return { idle, loaded, ends }
  } finally {
    await installation.dispose()
  }
}

/** Starts an installation with two apps that have events of 30 days, all of them counted. */
export async function startFilled(): Promise<Installation> {
  const installation = await standalone({ provision, env: { HOPPER_LOG_LEVEL: 'silent' } })
  try {
    await installation.start()
    for (const app of ['shop', 'other'] as const) await fill(installation, app)
    await whenCounted(installation, keys.shop.read, 300_000)
    return installation
  } catch (error) {
    await installation.dispose()
    throw error
  }
}

async function fill(installation: Installation, app: App): Promise<void> {
  for (let start = 0; start < EVENTS; start += EVENTS_PER_BODY) {
    const events = Array.from({ length: EVENTS_PER_BODY }, (_, i) => {
      const number = start + i
      const timestamp = Date.now() - (number % DAYS) * DAY_MS - number
      return {
        type: 'custom',
        name: number % 3 === 0 ? 'buy' : 'see',
        timestamp,
        device_id: `d${number % 2_000}`,
        data: { text: `${'a'.repeat(100)}${number}!` },
      }
    })
    const answer = await whenAdmitted(() => post(`${installation.ingestUrl}/v1/events`, keys[app].write, { events }))
    if (answer.status !== 202) throw new Error(`ingest answered ${answer.status}: ${await answer.text()}`)
  }
}

/** Sends one funnel after the other, as soon as it is allowed. Each is new, so that no answer comes from a cache. */
async function attack(
  installation: Installation,
  attacker: number,
  ends: Map<string, number>,
  signal: AbortSignal,
): Promise<void> {
  for (let number = 0; !signal.aborted; number++) {
    const steps = Array.from({ length: STEPS }, (_, step) => ({
      name: `step ${step}`,
      filters: [{ type: 'regex', key: 'text', value: `((a+)+b?){${step + 1}}c${attacker}-${number}$` }],
    }))
    let waitMs = 0
    try {
      const answer = await post(
        `${installation.apiUrl}/api/v1/apps/shop/funnels/query`,
        keys.shop.read,
        { ...range(), steps },
        signal,
      )
      const { error } = (await answer.json()) as { error?: { code: string } }
      const end = `${answer.status}${error ? ` ${error.code}` : ''}`
      waitMs = Number(answer.headers.get('retry-after') ?? 0) * 1_000
      ends.set(end, (ends.get(end) ?? 0) + 1)
    } catch (error) {
      if (!signal.aborted) throw error
    }
    await pause(waitMs)
  }
}

/** Opens a stream and never reads it. */
async function leaveUnread(installation: Installation, path: string, signal: AbortSignal): Promise<void> {
  const headers = { 'x-api-key': keys.shop.read }
  const answer = await fetch(`${installation.apiUrl}/api/v1/apps/shop/${path}`, { headers, signal })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
  await new Promise((left) => signal.addEventListener('abort', left))
}

/** Sends 1,000 queries in one packet, and again when all of them are answered. */
function pipeline(installation: Installation, signal: AbortSignal): Promise<void> {
  const { hostname, port, host } = new URL(installation.apiUrl)
  const body = JSON.stringify({
    start: range().from,
    end: range().to,
    data: [{ name: 'all', filters: [{ type: 'regex', key: 'text', value: '(a+)+b' }] }],
  })
  const head =
    `host: ${host}\r\nx-api-key: ${keys.shop.read}\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n`
  const packet = `POST /api/v1/apps/shop/query HTTP/1.1\r\n${head}\r\n${body}`.repeat(PIPELINED)
  const socket = connect(Number(port), hostname, () => socket.write(packet))
  let due = PIPELINED
  socket.on('data', (part) => {
    due -= part.toString('latin1').split('HTTP/1.1 ').length - 1
    if (due > 0) return
    due += PIPELINED
    socket.write(packet)
  })
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => socket.destroy())
    socket
      .once('error', reject)
      .once('close', () =>
        signal.aborted ? resolve() : reject(new Error('the connection of 1,000 queries was closed')),
      )
  })
}

/** Queries the app `other` repeatedly, alternating the kinds. */
export async function probe(
  installation: Installation,
  ms: number,
  kinds: readonly Probe[] = probes,
): Promise<Starvation> {
  const taken: Record<Probe, number[]> = { ingest: [], healthcheck: [], funnel: [], panel: [] }
  const appUrl = `${installation.apiUrl}/api/v1/apps/other`
  const headers = { 'x-api-key': keys.other.read }
  const steps = ['see', 'buy'].map((value) => ({ name: value, filters: [{ type: 'eq', key: 'name', value }] }))
  const calls: Record<Probe, () => Promise<Response>> = {
    ingest: () =>
      post(`${installation.ingestUrl}/v1/events`, keys.other.write, {
        events: [{ type: 'custom', name: 'ping', device_id: 'probe' }],
      }),
    healthcheck: () => fetch(`${installation.ingestUrl}/healthcheck`),
    funnel: () =>
      post(`${appUrl}/funnels/query`, keys.other.read, {
        ...range(),
        steps,
        window_ms: 3_600_000 + Math.floor(performance.now() * 1_000),
      }),
    panel: () => fetch(`${appUrl}/traffic?by=day`, { headers }),
  }
  const end = performance.now() + ms
  await Promise.all(
    kinds.map(async (kind) => {
      while (performance.now() < end) {
        const at = performance.now()
        const answer = await calls[kind]()
        const text = await answer.text()
        if (!answer.ok) throw new Error(`${kind} answered ${answer.status}: ${text.slice(0, 300)}`)
        taken[kind].push(performance.now() - at)
        await pause(PROBE_INTERVAL_MS)
      }
    }),
  )
  for (const list of Object.values(taken)) list.sort((a, b) => a - b)
  return taken
}

/** Returns the days that have events. */
export function range(): { from: string; to: string } {
  const day = (ago: number): string => new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10)
  return { from: day(DAYS + 1), to: day(-1) }
}

export function post(url: string, key: string, body: object, signal?: AbortSignal): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'x-api-key': key, 'user-agent': 'Mozilla/5.0 Firefox/130.0' }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body), ...(signal ? { signal } : {}) })
}

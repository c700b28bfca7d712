import { randomUUID } from 'node:crypto'
import type { Envelope, Event } from '@hopper/contracts'
import { cluster, whenCounted, until, type Cluster } from '@hopper/e2e'
import type { Storage } from '@hopper/storage'
import { Client } from 'cassandra-driver'
import { quantile } from '../overload/hostile.ts'
import { withOwnEngines, type OwnEngines } from '../harness/own-engines.ts'
import { cpuOf } from '../harness/process-usage.ts'

const DAYS = 30
const ENVELOPES_PER_APPEND = 2_000
const ROUNDS = 40
const LIVE_INTERVAL_MS = 100
const BAR_MS = 150
const DAY_MS = 86_400_000
const COUNTED_MS = 1_800_000
const key = 'hr_bench_0123456789abcdef'
const stages = ['Home', 'Product', 'Cart', 'Checkout', 'Thanks'].map((name, index) => ({
  id: index + 1,
  name,
  url: `/${name.toLowerCase()}`,
}))
const app = {
  id: 'bench',
  name: 'Bench',
  timezone: 'UTC',
  write_key: 'hw_bench_0123456789abcdef',
  read_key: key,
  funnels: [{ id: 'checkout', name: 'Checkout', stages }],
}
const provision = { organizations: [{ id: 'o', name: 'O', apps: [app] }] }
const target = "//*[@id='add']"
const panels = [
  'stages/users',
  'stages/conversion',
  'stages/time',
  'stages/graph',
  'elements/actions',
  `elements/durations?xpath=${encodeURIComponent(target)}`,
  'pages/views',
  'clicks',
  'agents?by=browser',
  'agents?by=country',
  'traffic?by=day',
  'traffic?by=hour',
]

/**
 * Measures every fixed panel over 30 days with these users, by HTTP from the processes of a cluster: without changes,
 * and while ten new users per second arrive.
 */
export async function panelsBench(users = 1_000_000): Promise<void> {
  await withOwnEngines(async (engines) => {
    const installation = await cluster(engines, {
      provision,
      env: { HOPPER_LOG_LEVEL: 'error', HOPPER_LEASE_MS: '15000' },
    })
    try {
      await installation.start()
      const storage = await installation.openStorage()
      try {
        const started = performance.now()
        await fill(installation, storage, users)
        console.log(`  ${users} users counted in ${Math.round((performance.now() - started) / 1_000)} s`)
        await writtenOut(installation, engines)
        console.log(
          `  and every packed row is written out after ${Math.round((performance.now() - started) / 1_000)} s`,
        )
        await installation.api.stop('SIGTERM')
        await installation.api.start()
        const first = await once(installation, panels[0]!)
        console.log(`  first answer of a process that has just started: ${Math.round(first)} ms`)
        await report('nothing changes', installation, users)
        const live = new Live(storage, users)
        await report('a new user ten times a second', installation, users)
        await live.end()
      } finally {
        await storage.close()
      }
    } finally {
      await installation.dispose()
    }
  })
}

/** Waits until no packed rows of visitors are left, which the owners of lanes write out in the background. */
async function writtenOut({ env }: Cluster, { cassandra, dataCenter }: OwnEngines): Promise<void> {
  const keyspace = env.HOPPER_CASSANDRA_KEYSPACE!
  const client = new Client({ contactPoints: [cassandra], localDataCenter: dataCenter, keyspace })
  const blocks = 'SELECT DISTINCT app, date, lane FROM visitor_blocks_by_date'
  try {
    await until(async () => (await client.execute(blocks)).rowLength === 0, COUNTED_MS)
  } finally {
    await client.shutdown()
  }
}

/** Day after day, as traffic arrives. */
async function fill(installation: Cluster, storage: Storage, users: number): Promise<void> {
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS
  for (let user = 0; user < users; user += ENVELOPES_PER_APPEND) {
    await storage.log.append(
      Array.from({ length: ENVELOPES_PER_APPEND }, (_, index) =>
        visit(user + index, today - (DAYS - 1 - Math.floor(((user + index) / users) * DAYS)) * DAY_MS),
      ),
    )
  }
  await whenCounted(installation, key, COUNTED_MS)
}

/** A user who reaches some stage of the funnel, sees a page, and hovers or clicks. Every third one logs in. */
function visit(user: number, date: number): Envelope {
  const timestamp = Math.min(date + ((user * 7_919) % DAY_MS), Date.now() - 1_000)
  const session_id = randomUUID()
  const depth = 1 + (user % stages.length)
  const base = (seq: number): { event_id: string; timestamp: number; session_id: string; seq: number } => ({
    event_id: randomUUID(),
    timestamp: timestamp + seq * 500,
    session_id,
    seq,
  })
  const url = `https://shop.example/products/${user % 200}`
  const events: Event[] = [
    { ...base(0), type: 'url_change', from: '', to: url, elapsed_time: 4_000 },
    {
      ...base(1),
      type: 'funnel_change',
      action: 'onUrlChange',
      funnel: 'checkout',
      entered: depth,
      ...(depth > 1 && { from: depth - 1 }),
      elapsed_time: 9_000,
    },
    user % 2 === 0
      ? { ...base(2), type: 'click', target, elapsed_time: 1_300, current_url: url }
      : {
          ...base(2),
          type: 'btn_time',
          target,
          action: user % 3 === 0 ? 'hover-then-leave' : 'hover-then-clicked',
          elapsed_time: 420,
        },
    ...(user % 3 === 0 ? [{ ...base(3), type: 'identify', user_id: `user-${user}` } as const] : []),
  ]
  const browser = ['Chrome', 'Safari', 'Firefox', 'Edge'][user % 4]!
  return {
    version: 1,
    app: app.id,
    device_id: randomUUID(),
    received_at: timestamp,
    context: { device: 'desktop', browser, os: 'Linux', country: ['DE', 'NP', 'US'][user % 3]! },
    events,
  }
}

/** New users who arrive today while panels are queried. */
class Live {
  readonly #timer: NodeJS.Timeout
  #last: Promise<unknown> = Promise.resolve()

  constructor(storage: Storage, users: number) {
    let user = users
    this.#timer = setInterval(
      () => void (this.#last = storage.log.append([visit(user++, Math.floor(Date.now() / DAY_MS) * DAY_MS)])),
      LIVE_INTERVAL_MS,
    )
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#last
  }
}

async function report(when: string, installation: Cluster, users: number): Promise<void> {
  for (const panel of panels) await once(installation, panel)
  const cpu = cpuOf(installation.api.pid)
  const times = new Map<string, number[]>(panels.map((panel) => [panel, []]))
  for (let round = 0; round < ROUNDS; round++)
    for (const panel of panels) times.get(panel)!.push(await once(installation, panel))
  const quantiles = (durations: readonly number[]): { p50: number; p95: number } => {
    const sorted = [...durations].sort((a, b) => a - b)
    return { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95) }
  }
  const slowest = [...times].map(([panel, group]) => ({ panel, ...quantiles(group) })).sort((a, b) => b.p95 - a.p95)
  const all = [...times.values()].flat()
  const overall = quantiles(all)
  console.log(
    `  ${when}: all panels p50 ${Math.round(overall.p50)} ms, p95 ${Math.round(overall.p95)} ms; ` +
      `CPU of the api ${((cpuOf(installation.api.pid) - cpu) / 1_000 / all.length).toFixed(1)} ms a panel`,
  )
  for (const { panel, p50, p95 } of slowest)
    console.log(`    ${panel.split('?xpath')[0]}: p50 ${Math.round(p50)} ms, p95 ${Math.round(p95)} ms`)
  const worst = slowest[0]!
  console.log(
    `fixed panels on Cassandra, ${DAYS} days, ${users} users, ${when}: ` +
      `slowest p95 ${Math.round(worst.p95)} ms (${worst.panel}), ` +
      `bar ${BAR_MS} ms ${worst.p95 <= BAR_MS ? 'reached' : 'NOT REACHED'}`,
  )
}

/** Returns the milliseconds from the request to the last byte of the answer. */
async function once({ apiUrl }: Cluster, panel: string): Promise<number> {
  const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
  const started = performance.now()
  const range = `from=${iso(Date.now() - (DAYS - 1) * DAY_MS)}&to=${iso(Date.now())}`
  const answer = await fetch(`${apiUrl}/api/v1/apps/${app.id}/${panel}${panel.includes('?') ? '&' : '?'}${range}`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const body = await answer.text()
  if (answer.status !== 200) throw new Error(`${panel}: ${answer.status} ${body.slice(0, 300)}`)
  return performance.now() - started
}

import { standalone, whenCounted, type Installation } from '@hopper/e2e'

const EVENTS = 20_000
const EVENTS_PER_BODY = 500
const TEXT_CHARS = 300
const HOSTILE_CONCURRENCY = 6
const day = (daysAgo: number): string => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10)
const keys = {
  shop: { write: 'hw_hostile_shop_0123456789', read: 'hr_hostile_shop_0123456789' },
  other: { write: 'hw_hostile_other_012345678', read: 'hr_hostile_other_012345678' },
} as const
const provision = {
  organizations: [
    {
      id: 'bench',
      name: 'Bench',
      admin_key: 'ha_hostile_0123456789',
      apps: Object.entries(keys).map(([id, { write, read }]) => ({ id, name: id, write_key: write, read_key: read })),
    },
  ],
}

/** ms of each call, ascending */
export type Latencies = readonly number[]

/** `POST /v1/events`, acknowledged; a funnel of another app; a funnel of the app that is attacked. */
const kinds = ['ingest', 'others', 'own'] as const
type Kind = (typeof kinds)[number]
/** The duration of calls in a calm installation, or under attack. */
export type Responsiveness = Readonly<Record<Kind, Latencies>>

export interface Refusal {
  readonly name: string
  readonly status: number
  readonly code: string
  readonly ms: number
}

export interface HostileReport {
  readonly calm: Responsiveness
  /** with one hostile query for the attacked app's own calls, and six for all others */
  readonly attacked: Responsiveness
  /** number of queries that threads worked on meanwhile, most of them with catastrophic patterns */
  readonly running: number
  readonly refusals: readonly Refusal[]
  /** the outcome of a query with such a pattern: a timeout, or its answer */
  readonly pattern: Refusal
}

/**
 * Starts an installation, fills it, and measures it calm and under attack; `ms` is the duration of each measurement. An
 * app has a bounded number of threads, so one that attacks itself with more queries than that waits for them; other
 * apps never do.
 */
export async function attack(ms: number): Promise<HostileReport> {
  const installation = await standalone({ provision })
  try {
    await installation.start()
    for (const app of ['shop', 'other'] as const) await fill(installation, app)
    await whenCounted(installation, keys.shop.read)
    await probe(installation, 500)
    const calm = await probe(installation, ms)
    const one = await besides(installation, 1, () => probe(installation, ms, ['own']))
    const many = await besides(installation, HOSTILE_CONCURRENCY, async (hostile) => {
      const [attacked, refusals, running] = await Promise.all([
        probe(installation, ms, ['ingest', 'others']),
        measureRefusals(installation),
        runningSoon(installation),
      ])
      return { attacked, refusals, running, pattern: await measure('(a+)+$', () => hostile[0]!) }
    })
    return { ...many, calm, attacked: { ...many.attacked, own: one.own } }
  } finally {
    await installation.dispose()
  }
}

/** Runs `work` while n hostile queries are in flight, whose clients disconnect afterwards. */
async function besides<T>(
  installation: Installation,
  number: number,
  work: (hostile: readonly Promise<Response>[]) => Promise<T>,
): Promise<T> {
  const leaving = new AbortController()
  const hostile = Array.from({ length: number }, (_, i) =>
    postQuery(installation, 'shop', 'query', patterns(number + i), leaving.signal),
  )
  try {
    return await work(hostile)
  } finally {
    leaving.abort()
    await Promise.allSettled(hostile)
  }
}

async function fill(installation: Installation, app: keyof typeof keys): Promise<void> {
  for (let start = 0; start < EVENTS; start += EVENTS_PER_BODY) {
    const events = Array.from({ length: EVENTS_PER_BODY }, (_, i) => ({
      type: 'custom',
      name: i % 3 === 0 ? 'buy' : 'see',
      timestamp: Date.now() - (start + i),
      device_id: `d${(start + i) % 2_000}`,
      data: { text: `${'a'.repeat(TEXT_CHARS)}${start + i}!` },
    }))
    const answer = await post(`${installation.ingestUrl}/v1/events`, keys[app].write, JSON.stringify({ events }))
    if (answer.status !== 202) throw new Error(`ingest answered ${answer.status}: ${await answer.text()}`)
  }
}

function post(url: string, key: string, body: string, signal?: AbortSignal): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key, 'user-agent': 'Mozilla/5.0 Firefox/130.0' },
    body,
    ...(signal ? { signal } : {}),
  })
}

function postQuery(
  installation: Installation,
  app: keyof typeof keys,
  path: string,
  body: object,
  signal?: AbortSignal,
): Promise<Response> {
  return post(`${installation.apiUrl}/api/v1/apps/${app}/${path}`, keys[app].read, JSON.stringify(body), signal)
}

const range = (): { from: string; to: string } => ({ from: day(2), to: day(-1) })
const steps = [
  { name: 'see', filters: [{ type: 'eq', key: 'name', value: 'see' }] },
  { name: 'buy', filters: [{ type: 'eq', key: 'name', value: 'buy' }] },
]

/** Fifty patterns that a backtracking engine never finishes. Each set is a new query. */
function patterns(number: number): object {
  const filters = Array.from({ length: 50 }, (_, i) => ({
    type: 'regex',
    key: 'text',
    value: i === 0 ? '(a+)+$' : `((a+)+b?){${i}}c$`,
  }))
  return { start: day(2), end: day(-1), data: [{ name: `set ${number}`, filters: [{ type: 'or', filters }] }] }
}

/** Calls in sequence for some time, alternating the kinds. Every query is new, so that no answer comes from a cache. */
async function probe(installation: Installation, ms: number, which: readonly Kind[] = kinds): Promise<Responsiveness> {
  const taken = { ingest: [] as number[], others: [] as number[], own: [] as number[] }
  const funnel = (app: keyof typeof keys, number: number): Promise<Response> =>
    postQuery(installation, app, 'funnels/query', {
      ...range(),
      steps,
      count_by: 'device',
      window_ms: 3_600_000 + Math.floor(performance.now() * 1_000) + number,
    })
  const calls = {
    ingest: () =>
      post(
        `${installation.ingestUrl}/v1/events`,
        keys.shop.write,
        JSON.stringify({ events: [{ type: 'custom', name: 'ping', device_id: 'probe' }] }),
      ),
    others: (number: number) => funnel('other', number),
    own: (number: number) => funnel('shop', number),
  }
  const end = performance.now() + ms
  await Promise.all(
    which.map(async (kind) => {
      for (let number = 0; performance.now() < end; number++) {
        const at = performance.now()
        const answer = await calls[kind](number)
        const text = await answer.text()
        if (!answer.ok) throw new Error(`${kind} answered ${answer.status}: ${text.slice(0, 300)}`)
        taken[kind].push(performance.now() - at)
      }
    }),
  )
  const ascending = (list: number[]): Latencies => list.sort((a, b) => a - b)
  return { ingest: ascending(taken.ingest), others: ascending(taken.others), own: ascending(taken.own) }
}

/** Sends queries that exceed the limits; each is answered immediately with the reason. */
async function measureRefusals(installation: Installation): Promise<Refusal[]> {
  const nested = (depth: number): string =>
    `${'{"type":"not","filter":'.repeat(depth)}{"type":"all","key":"x"}${'}'.repeat(depth)}`
  const queries: [string, string, string][] = [
    [
      'a filter nested 1,000 deep',
      'funnels/query',
      JSON.stringify({ ...range(), steps, filters: ['FILTER'] }).replace('"FILTER"', nested(1_000)),
    ],
    [
      'a range of a century',
      'funnels/query',
      JSON.stringify({ from: '1930-01-01', to: '2030-01-01', steps: [steps[0]] }),
    ],
    [
      '10,000 steps',
      'funnels/query',
      JSON.stringify({ ...range(), steps: Array.from({ length: 10_000 }, () => steps[0]) }),
    ],
  ]
  const refusals: Refusal[] = []
  for (const [name, path, body] of queries)
    refusals.push(
      await measure(name, () => post(`${installation.apiUrl}/api/v1/apps/shop/${path}`, keys.shop.read, body)),
    )
  return refusals
}

async function measure(name: string, call: () => Promise<Response>): Promise<Refusal> {
  const at = performance.now()
  const answer = await call()
  const body = (await answer.json()) as { error?: { code: string } }
  return { name, status: answer.status, code: body.error?.code ?? '', ms: performance.now() - at }
}

/** Returns the number of queries that the threads work on, as soon as there are two. */
async function runningSoon(installation: Installation): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const metrics = await (await fetch(`${installation.apiUrl}/metrics`)).text()
    const running = Number(/hopper_api_queries\{state="running"\} (\d+)/.exec(metrics)?.[1] ?? 0)
    if (running >= 2) return running
    await new Promise((next) => setTimeout(next, 20))
  }
  return 0
}

/** Returns the latency that this share of the calls did not exceed, in ms. */
export function quantile(latencies: Latencies, share: number): number {
  return latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? NaN
}

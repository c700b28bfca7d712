import type {
  Agents,
  Alerts,
  App,
  Apps,
  BotReviewProgress,
  Clicks,
  ElementActions,
  ElementDurations,
  FunnelAnswer,
  FunnelStepAnswer,
  JourneyResult,
  ListedFunnel,
  Me,
  Meta,
  PageViews,
  Status,
  Traffic,
} from '@hopper/contracts'

/** Answers of the fixture server. Each number is made up and appears in only one place. */
export const EVIL = '<img src=x onerror=window.pwned=1>'

export interface Fixture {
  loggedIn: boolean
  /** true: no call is answered */
  isDown: boolean
  traffic: Traffic['rows']
  views: number
  lag: Status['lag']
  funnels: ListedFunnel[]
  elements: { name: string; xpath: string }[]
  settings: App & { received_bytes: number; bot_review: BotReviewProgress }
}

export function newFixture(): Fixture {
  const today = new Date().toISOString().slice(0, 10)
  return {
    loggedIn: true,
    isDown: false,
    traffic: [{ time: `${today}T00:00:00.000Z`, events: 7_101, views: 4_202, users: 1_303 }],
    views: 2_404,
    lag: { messages: 11, events: 120, seconds: 0.5, remaining_seconds: 9 },
    funnels: [
      {
        id: 'checkout',
        name: 'Checkout',
        past: { state: 'done', share: 1 },
        stages: [
          { id: 1, name: 'Home', url: '/*' },
          { id: 2, name: 'Cart', click: '#add' },
        ],
      },
    ],
    elements: [{ name: 'Buy now', xpath: "//*[@id='buy']" }],
    settings: {
      ...{ id: 'shop', organization: 'acme', name: 'Shop', timezone: 'UTC', origins: [], keep_parameters: [] },
      received_bytes: 1_000,
      bot_rules: [{ kind: 'referrer', value: EVIL, action: 'bot' }],
      bot_review: { state: 'running', share: 0.254 },
    },
  }
}

export const me: Me = {
  member: { id: 'ann', name: 'Ann', role: 'owner' },
  organization: { id: 'acme', name: 'Acme' },
  csrf: 'csrf-of-ann',
}
export const apps: Apps = {
  apps: [
    { id: 'shop', name: 'Shop', timezone: 'UTC', organization: 'acme', retention_days: null },
    { id: 'blog', name: 'Blog', timezone: 'Asia/Tokyo', organization: 'acme', retention_days: null },
  ],
}
/** An alert whose texts are as long and as hostile as they can be. */
const alerts: Alerts = {
  alerts: [
    {
      id: 'a1',
      name: EVIL.repeat(4) + 'x'.repeat(72),
      fall: { funnel: 'checkout', period: 'day' },
      webhook: { origin: `https://${'hook.'.repeat(40)}example` },
      email: { recipients: 2 },
      silenced_until: null,
      created_at: 1_760_000_000_000,
      state: { check: 'firing', checked_at: 1_760_000_000_000, detail: 'y'.repeat(300) },
      notices: [
        {
          id: 'a1-1',
          kind: 'fired',
          at: 1_760_000_000_000,
          title: EVIL,
          deliveries: [{ channel: 'webhook', state: 'failed', attempts: 6, fault: 'status', status: 503 }],
        },
      ],
    },
  ],
  channels: { webhook_origins: [`https://${'hook.'.repeat(40)}example`], email: false },
}
export const keys = { keys: [{ id: 'abc', power: 'write', hint: 'Wxyz', created_at: 1_760_000_000_000 }] }

const actions: ElementActions['rows'] = [
  {
    xpath: "//*[@id='buy']",
    name: 'Buy now',
    hover_leave: 150,
    elapsed_leave_ms: 300_000,
    hover_click: 50,
    elapsed_click_ms: 60_000,
    hits: 200,
    leave_percent: 75,
    click_percent: 25,
    average_leave_ms: 2_000,
    average_click_ms: 1_200,
  },
]
const durations: Omit<ElementDurations, 'meta'> = {
  buckets: [
    { from_ms: 1_024, to_ms: 1_218, leave: 31, click: 47 },
    { from_ms: 1_218, to_ms: 1_449, leave: 119, click: 3 },
  ],
  correlation: -0.62,
}
const clicks: Clicks['rows'] = [{ url: 'shop.example/cart', target: "//*[@id='buy']", hits: 512, average_ms: 1_500 }]

const agents: Record<string, Agents['rows']> = {
  device: [{ value: 'desktop', users: 905, share: 0.7 }],
  browser: [{ value: 'Firefox', users: 806, share: 0.62 }],
  os: [{ value: 'Linux', users: 707, share: 0.54 }],
}
const status: Omit<Status, 'lag'> = {
  version: '9.9.9',
  mode: 'standalone',
  started_at: 1_760_000_000_000,
  complete_to: 1_760_000_100_000,
  events_per_second: 12.5,
  dead_letters: 3,
  fates: [
    { fate: 'accepted', reason: 'new', events: 8_118 },
    { fate: 'bot', reason: 'user_agent', events: 219 },
  ],
  lanes: [{ lane: 0, next: 5_510, done: 5_499, lag: 11 }],
  engines: [
    { name: 'sqlite', healthy: true },
    { name: 'kafka', healthy: false, detail: 'no broker answers' },
  ],
}

const time: FunnelStepAnswer['time'] = { median_ms: 83_000, average_ms: 90_000, p90_ms: 200_000, histogram: [] }
const noCauses: FunnelStepAnswer['causes'] = { open: 0, excluded: 0, late: 0, mismatch: 0, before: 0, never: 0 }

/** Returns the answer to a funnel question: 951 reach Home and 437 of them Cart, whatever the question. */
export function funnelAnswer(from: string, to: string): FunnelAnswer {
  const causes = { ...noCauses, never: 400, open: 100, late: 8, before: 6 }
  return {
    total: 951,
    steps: [
      { name: 'Home', count: 951, rate: 1, rate_from_previous: 1, dropped: 0, causes: noCauses, time },
      { name: 'Cart', count: 437, rate: 437 / 951, rate_from_previous: 437 / 951, dropped: 514, causes, time },
    ],
    overall: { rate: 437 / 951, time },
    trend: [],
    people: ['u:ann', 'd:0001'],
    meta: { from, to, timezone: 'UTC', complete_to: Date.now(), settled: false },
  }
}

const journeys: JourneyResult = {
  nodes: [
    { id: `0:${EVIL}`, step: 0, value: EVIL, users: 951 },
    { id: '1:/*', step: 1, value: '/*', users: 437 },
    { id: '1/exit', step: 1, value: 'exit', users: 514, kind: 'exit' },
  ],
  links: [
    { from: `0:${EVIL}`, to: '1/exit', users: 514 },
    { from: `0:${EVIL}`, to: '1:/*', users: 437 },
  ],
}

/** Returns the answer to a GET, or undefined for an unknown path. */
export function answerTo(path: string, parameters: URLSearchParams, fixture: Fixture): unknown {
  const meta: Meta = {
    from: parameters.get('from') ?? '',
    to: parameters.get('to') ?? '',
    timezone: 'UTC',
    complete_to: Date.now(),
    settled: false,
  }
  const pages: PageViews['rows'] = [
    { url: EVIL, views: fixture.views, average_seconds: 12.5 },
    { url: 'shop.example/cart', views: 30, average_seconds: null },
  ]
  const answers: Record<string, unknown> = {
    '/api/v1/me': me,
    '/api/v1/apps': apps,
    '/api/v1/status': { ...status, lag: fixture.lag },
    '/api/v1/apps/shop': fixture.settings,
    '/api/v1/apps/shop/traffic': { rows: fixture.traffic, meta },
    '/api/v1/apps/shop/pages/views': { rows: pages, meta },
    '/api/v1/apps/shop/clicks': { rows: clicks, meta },
    '/api/v1/apps/shop/agents': { total_users: 1_303, rows: agents[parameters.get('by') ?? ''], meta },
    '/api/v1/apps/shop/journeys': { ...journeys, meta },
    '/api/v1/apps/shop/funnels': { funnels: fixture.funnels },
    '/api/v1/apps/shop/elements': { elements: fixture.elements },
    '/api/v1/apps/shop/keys': keys,
    '/api/v1/apps/shop/alerts': alerts,
    '/api/v1/apps/shop/elements/actions': { rows: actions, meta },
    '/api/v1/apps/shop/elements/durations': { ...durations, meta },
  }
  return Object.hasOwn(answers, path) ? answers[path] : undefined
}

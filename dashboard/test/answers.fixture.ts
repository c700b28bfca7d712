import type {
  Agents,
  Alerts,
  Annotations,
  App,
  AppFates,
  Apps,
  AuditRun,
  Audits,
  BotReviewProgress,
  Clicks,
  Disk,
  ElementActions,
  ElementTwins,
  ElementsAnswer,
  FunnelAnswer,
  FunnelStepAnswer,
  HesitationAnswer,
  JourneyResult,
  ListedFunnel,
  LossResult,
  Me,
  Meta,
  PageViews,
  Processes,
  PeopleAnswer,
  Refusals,
  SharedLinks,
  Status,
  Traffic,
} from '@hopper/contracts'

/** Answers of the fixture server. Each number is made up and appears in only one place. */
export const EVIL = '<img src=x onerror=window.pwned=1>'
/** The same in another form, where a page has EVIL already. */
export const SCRIPT = '<script>window.pwned=1</script>'

export interface Fixture {
  loggedIn: boolean
  /** true: no call is answered */
  isDown: boolean
  traffic: Traffic['rows']
  views: number
  lag: Status['lag']
  funnels: ListedFunnel[]
  elements: { name: string; xpath: string }[]
  audits: AuditRun[]
  letters: object[]
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
    audits: [
      {
        id: '1',
        state: 'finished',
        started_at: 1_760_000_000_000,
        started_by: EVIL,
        finished_at: 1_760_000_061_000,
        lane: 8,
        lanes: 8,
        partitions: 1_284,
        differing_partitions: 2,
        differing: 31,
        repaired: 0,
        skipped: 0,
      },
    ],
    letters: [
      {
        lane: 4,
        position: 771,
        reason: 'invalid_envelope',
        detail: `device_id is ${EVIL}`,
        app: 'shop',
        received_at: 1_760_000_000_000,
        bytes: 612,
        text: `{"device_id":"${EVIL}","note":"\u202e${'x'.repeat(400)}"}`,
      },
    ],
    settings: {
      ...{ id: 'shop', organization: 'acme', name: 'Shop', timezone: 'UTC', origins: [], keep_parameters: [] },
      received_bytes: 1_000,
      bot_rules: [{ kind: 'referrer', value: EVIL, action: 'bot' }],
      bot_review: { state: 'running', share: 0.254 },
    },
  }
}

export const me: Me = {
  member: { id: 'ann', name: 'Ann', role: 'owner', has_password: true },
  organization: { id: 'acme', name: 'Acme' },
  csrf: 'csrf-of-ann',
}
export const apps: Apps = {
  apps: [
    { id: 'shop', name: 'Shop', timezone: 'UTC', organization: 'acme', retention_days: null },
    { id: 'blog', name: 'Blog', timezone: 'Asia/Tokyo', organization: 'acme', retention_days: null },
  ],
}
const disk: Disk = {
  places: [
    {
      place: 'data',
      measured_at: 1_760_000_000_000,
      parts: [
        { part: 'log', bytes: 71e6 },
        { part: 'tables', bytes: 42e6 },
      ],
      used_bytes: 113e6,
      free_bytes: 38e9,
      size_bytes: 51e9,
      bytes_per_day: 33e6,
      full_in_seconds: 94_694_400,
      is_low: false,
      samples: [
        { at: 1, used_bytes: 1, free_bytes: 2 },
        { at: 2, used_bytes: 2, free_bytes: 1 },
      ],
    },
    {
      place: `ingest ${'host'.repeat(60)}:8081`,
      measured_at: 1_760_000_000_000,
      parts: [{ part: 'spool', bytes: 0 }],
      used_bytes: 0,
      free_bytes: null,
      size_bytes: null,
      bytes_per_day: null,
      full_in_seconds: null,
      is_low: false,
      samples: [],
    },
  ],
}
const refusals: Refusals = {
  rows: [
    {
      date: '2026-01-31',
      code: 'HOP_KEY_UNKNOWN',
      app: null,
      origin: `https://${'evil'.repeat(45)}.example`,
      key_hint: 'Wxyz',
      requests: 5_207,
      last_at: 1_760_000_000_000,
    },
  ],
}

const processes: Processes = {
  processes: [
    {
      id: 'p1',
      name: 'aggregator',
      version: '0.1.0',
      started_at: 1_760_000_000_000,
      seen_at: 1_760_000_100_000,
      problems: [
        {
          level: 'error',
          message: `${EVIL} ${'long'.repeat(60)}`,
          codes: ['HOP_STORE_UNAVAILABLE', 'ECONNREFUSED'],
          times: 4_711,
          last_at: 1_760_000_100_000,
        },
      ],
    },
  ],
}

/** An alert whose texts are as long and as hostile as they can be. */
const sharedLinks: SharedLinks = {
  links: [
    {
      id: '0123456789abcdef',
      name: EVIL,
      view: { page: 'funnel', funnel: 'buy', range: '30d', filters: [{ key: EVIL, value: EVIL }] },
      has_password: true,
      frame_origins: ['https://wiki.example'],
      created_by: EVIL,
      created_at: 0,
      ends_at: 4_000_000_000_000,
    },
  ],
}

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

const twins: ElementTwins['twins'] = [
  {
    ...{ xpath: "//*[@id='buy']", name: 'Buy now', last_clicked: '2026-01-18', appeared: '2026-01-19', hits: 12 },
    twin: `//*[@id='${EVIL}']/${'div[1]/'.repeat(40)}button[1]`,
  },
]

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
function funnelAnswer(from: string, to: string): FunnelAnswer {
  const causes = { ...noCauses, never: 400, open: 100, late: 8, before: 6 }
  return {
    total: 951,
    steps: [
      { name: 'Home', count: 951, rate: 1, rate_from_previous: 1, dropped: 0, causes: noCauses, time },
      { name: 'Cart', count: 437, rate: 437 / 951, rate_from_previous: 437 / 951, dropped: 514, causes, time },
    ],
    overall: { rate: 437 / 951, time },
    trend: [],
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

const fates: AppFates = {
  from: '2026-01-01',
  to: '2026-01-30',
  rows: [
    { date: '2026-01-03', fate: 'accepted', reason: 'new', events: 1_615 },
    { date: '2026-01-04', fate: 'duplicate', reason: 'repeated_id', events: 38 },
  ],
}
const loss: LossResult['rows'] = [
  {
    value: '2026-01-31',
    sessions: 613,
    expected: 10_304,
    received: 10_253,
    lost_share: 0.00495,
    error: 0.0014,
    pages: 1,
    unclosed_pages: 0,
  },
]
const hovers = {
  people: 170,
  hovers: 220,
  clicked: 105,
  clicked_share: 105 / 220,
  median_click_ms: 1_250,
  median_leave_ms: 800,
}
const sides = {
  went_on: { ...hovers, hovers: 60, clicked: 45, clicked_share: 45 / 60 },
  lost: { ...hovers, hovers: 130, clicked: 40, clicked_share: 40 / 130 },
}

/** Returns the answer to a question with a body, or undefined for an unknown path. */
export function answerToQuery(path: string, { from, to }: { from: string; to: string }): object | undefined {
  const meta: Meta = { from, to, timezone: 'UTC', complete_to: Date.now(), settled: false }
  const histogram = [
    { from_ms: 512, to_ms: 609, leave: 15, click: 5 },
    { from_ms: 609, to_ms: 724, leave: 100, click: 100 },
  ]
  const answers: Record<string, object> = {
    query: { data: [{ count: 1_234 }] },
    'funnels/query': funnelAnswer(from, to),
    'elements/query': {
      rows: [
        { xpath: "//*[@id='buy']", ...hovers, taps: 37, tapped_by: 31, ...sides },
        { xpath: `//*[@id='${EVIL}${'x'.repeat(160)}']`, ...hovers, hovers: 3, taps: 0, tapped_by: 0 },
      ],
      meta,
    } satisfies ElementsAnswer,
    'hesitation/query': { ...hovers, correlation: 0.3, histogram, meta } satisfies HesitationAnswer,
    'people/query': {
      total: 2,
      people: [
        {
          id: 'u:ann',
          name: EVIL,
          device: 'mobile',
          source: 'email',
          country: null,
          entered_at: 1_760_000_000_000,
          last_at: 1_760_000_050_000,
          last_page: `shop.example/${'long'.repeat(60)}`,
          steps: 1,
          cause: 'never',
        },
        {
          id: 'd:0001',
          device: null,
          source: null,
          country: null,
          entered_at: 1_750_000_000_000,
          last_at: 1_750_000_000_000,
          last_page: null,
          steps: 1,
          cause: 'open',
          next: 'shop.example/help',
        },
      ],
      meta,
    } satisfies PeopleAnswer,
  }
  return answers[path.replace('/api/v1/apps/shop/', '')]
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
    '/api/v1/disk': disk,
    '/api/v1/refusals': refusals,
    '/api/v1/processes': processes,
    '/api/v1/audits': { audits: fixture.audits, can_run: true } satisfies Audits,
    '/api/v1/dead-letters': { rows: fixture.letters, next: null },
    '/api/v1/apps/shop/fates': fates,
    '/api/v1/apps/shop/loss': { rows: loss, open_sessions: 6, meta },
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
    '/api/v1/apps/shop/annotations': {
      annotations: [
        { id: '0123456789abcdef', from: meta.from, to: meta.to, text: SCRIPT, created_by: 'Ann', created_at: 0 },
      ],
    } satisfies Annotations,
    '/api/v1/apps/shop/shared-links': sharedLinks,
    '/api/v1/apps/shop/persons': { persons: [{ id: 'd:0001' }], meta },
    '/api/v1/apps/shop/persons/u%3Aann': { timeline: [], meta },
    '/api/v1/apps/shop/elements/actions': { rows: actions, meta },
    '/api/v1/apps/shop/elements/twins': { twins, meta },
  }
  return Object.hasOwn(answers, path) ? answers[path] : undefined
}

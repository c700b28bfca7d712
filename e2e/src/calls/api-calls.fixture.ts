import { expect } from 'vitest'
import {
  admin,
  at,
  context,
  date,
  element,
  errorOf,
  eventId,
  events,
  funnels,
  listedApp,
  meta,
  n,
  noCauses,
  noTime,
  place,
  range,
  session,
  sessionContext,
  stages,
  text,
  type Call,
} from './documented-app.fixture.ts'

const step = (name: string, type: string): object => ({ name, filters: [{ type: 'eq', key: 'type', value: type }] })
const instants = { from: at, to: at + 3_600_000 }
const steps = [step('seen', 'url_change'), step('clicked', 'click')]
const query = {
  start: instants.from,
  end: instants.to,
  data: [
    { name: 'views', filters: [{ type: 'eq', key: 'event_tag', value: 'product_view' }], unique: ['user'], events: 1 },
  ],
}
const queryAnswer = {
  data: [
    {
      name: 'views',
      count: 3,
      unique: { user: 1 },
      events: [
        {
          event_id: text,
          timestamp: at,
          seq: 0,
          type: 'custom',
          name: 'event',
          samplerate: 3,
          data: { event_tag: 'product_view', user: 1 },
          device_id: text,
          received_at: n,
        },
      ],
    },
  ],
  meta: { ...meta, to: text, settled: false },
}
const person = {
  id: 'u:u1',
  users: ['u1'],
  traits: { plan: 'pro' },
  properties: {},
  events: 2,
}
export const puts =
  `[{"message_id":"p1","timestamp":"${at}123456","event_type":"order","payload":{"a": 1.0}},` +
  `{"message_id":"p2","timestamp":${at + 1},"event_type":"order","payload":"text"},` +
  `{"message_id":"p3","timestamp":${at + 2},"event_type":"order","payload":{"b":2}}]`

/** Section 2 of the contract, below `/api/v1/apps/shop/` unless a path begins with a slash. */
export const apiCalls: readonly Call[] = [
  {
    call: `GET stages/users?${range}`,
    answer: { rows: stages.map(({ id, name }) => ({ date, stage: id, name, users: id === 1 ? 1 : 0 })), meta },
  },
  {
    call: `GET stages/conversion?${range}`,
    answer: { total_users: n, rows: stages.map(({ id, name }) => ({ stage: id, name, users: n, rate: n })), meta },
  },
  {
    call: `GET stages/time?${range}`,
    answer: {
      rows: stages.map(({ id, name }) => ({ stage: id, name, elapsed_ms: 0, hits: 0, average_seconds: null })),
      meta,
    },
  },
  { call: `GET stages/graph?${range}`, answer: { rows: expect.any(Array) as unknown, meta } },
  {
    call: `GET elements/actions?xpath=//a[1]&${range}`,
    answer: {
      rows: [
        {
          ...element,
          hover_leave: 0,
          elapsed_leave_ms: 0,
          hover_click: 1,
          elapsed_click_ms: 500,
          hits: 1,
          leave_percent: 0,
          click_percent: 100,
          average_leave_ms: null,
          average_click_ms: 500,
        },
      ],
      meta,
    },
  },
  {
    call: `GET elements/durations?xpath=//a[1]&${range}`,
    answer: { buckets: [{ from_ms: n, to_ms: n, leave: 0, click: 1 }], correlation: null, meta },
  },
  { call: `GET elements/twins?${range}`, answer: { twins: [], meta } },
  {
    call: `GET pages/views?${range}`,
    answer: { rows: [{ url: 'shop.example/page-1', views: 1, average_seconds: null }], meta },
  },
  {
    call: `GET clicks?${range}`,
    answer: { rows: [{ url: 'shop.example/page-1', target: '//a[1]', hits: 1, average_ms: 5 }], meta },
  },
  ...['device', 'browser', 'os', 'country'].map((by): Call => {
    const rows = by === 'country' ? (expect.any(Array) as unknown) : [{ value: text, users: n, share: 1 }]
    return { call: `GET agents?by=${by}&${range}`, answer: { total_users: n, rows, meta } }
  }),
  {
    call: `GET traffic?by=day&${range}`,
    answer: { rows: [{ time: `${date}T00:00:00.000Z`, events: n, views: 1, users: n }], meta },
  },
  {
    call: `GET journeys?depth=2&${range}`,
    answer: {
      nodes: [
        { id: '0:shop.example/page-1', step: 0, value: 'shop.example/page-1', users: 1 },
        { id: '1/exit', step: 1, value: 'exit', users: 1, kind: 'exit' },
      ],
      links: [{ from: '0:shop.example/page-1', to: '1/exit', users: 1 }],
      meta,
    },
  },
  { call: 'POST query', body: query, answer: queryAnswer },
  { call: 'POST /query', body: query, answer: queryAnswer },
  {
    call: 'POST funnels/query',
    body: { ...instants, steps },
    answer: {
      total: 1,
      steps: [
        { name: 'seen', count: 1, rate: 1, rate_from_previous: 1, dropped: 0, causes: noCauses, time: noTime },
        {
          name: 'clicked',
          count: 1,
          rate: 1,
          rate_from_previous: 1,
          dropped: 0,
          causes: noCauses,
          time: { median_ms: n, average_ms: 2, p90_ms: n, histogram: [{ from_ms: n, to_ms: n, count: 1 }] },
        },
      ],
      overall: {
        rate: 1,
        time: { median_ms: n, average_ms: 2, p90_ms: n, histogram: [{ from_ms: n, to_ms: n, count: 1 }] },
      },
      meta: { ...meta, to: text },
    },
  },
  {
    call: 'POST retention/query',
    body: {
      from: date,
      to: date,
      first: [{ type: 'all', key: 'type' }],
      again: [{ type: 'all', key: 'type' }],
      by: 'day',
    },
    answer: { cohorts: [{ time: n, size: n, again: [n] }], meta },
  },
  { call: `GET keys?prefix=event_t&${range}`, answer: { rows: [{ key: 'event_tag' }], meta } },
  {
    call: `GET keys/event_tag/values?prefix=&${range}`,
    answer: { rows: [{ value: 'product_view', events: 3 }], more: false, meta },
  },
  {
    call: `GET keys?where=event_tag:product_view&${range}`,
    answer: {
      rows: expect.arrayContaining([
        { key: 'event_tag', values: [{ value: 'product_view', events: 3 }], more: false },
        { key: 'data.user', values: [{ value: 1, events: 3 }], more: false },
      ]) as unknown,
      meta,
    },
  },
  {
    call: 'GET events?limit=1',
    answer: {
      events: [expect.objectContaining({ event_id: text, context, ...place }) as unknown],
      next: text,
      meta: { ...meta, from: text, to: text },
    },
  },
  {
    call: 'GET events?order=-timestamp&limit=1',
    answer: {
      events: [expect.objectContaining({ event_id: text, context, ...place, fate: 'accepted' }) as unknown],
      next: text,
      follow: text,
      meta: { ...meta, from: text, to: text },
    },
  },
  {
    call: `GET events/e1?${range}`,
    answer: {
      fate: 'accepted',
      reason: 'new',
      received_at: n,
      lane: n,
      position: n,
      tables: expect.arrayContaining(['activity_by_date', 'fates_by_date', 'page_views_by_date']) as unknown,
      event: { ...events[0], device_id: 'd1', context: sessionContext, ...place },
      meta,
    },
  },
  {
    call: `GET events/e4?${range}`,
    answer: {
      fate: 'rejected',
      reason: 'unknown_type',
      received_at: n,
      lane: n,
      position: n,
      tables: ['fates_by_date'],
      meta,
    },
  },
  {
    call: 'GET persons/u:u1',
    answer: {
      ...person,
      devices: [{ device_id: 'a1', first: at, last: n, events: 2 }],
      timeline: [
        expect.objectContaining({ event_id: eventId, type: 'identify', user_id: 'u1', ...place }) as unknown,
        expect.objectContaining({ event_id: eventId, type: 'custom', name: 'bought', ...place }) as unknown,
      ],
      meta: { ...meta, from: text, to: text },
    },
  },
  {
    call: 'GET persons?search=u1',
    answer: {
      persons: [{ ...person, devices: 1, first_seen: at, last_seen: n }],
      meta: { ...meta, from: text, to: text },
    },
  },
  {
    call: 'PUT properties/spent',
    key: admin,
    body: { event: 'bought', key: 'n', operation: 'sum' },
    answer: { name: 'spent', event: 'bought', key: 'n', operation: 'sum' },
  },
  {
    call: 'GET properties',
    answer: { properties: [{ name: 'spent', event: 'bought', key: 'n', operation: 'sum' }] },
  },
  {
    call: 'GET funnels',
    answer: { funnels: [{ ...funnels[0], past: { state: 'done', share: 1 } }] },
  },
  { call: 'GET alerts', answer: { alerts: [], channels: { webhook_origins: [], email: false } } },
  { call: `GET annotations?${range}`, answer: { annotations: [] } },
  { call: 'GET shared-links', key: admin, answer: { links: [] } },
  { call: 'GET elements', answer: { elements: [element] } },
  { call: 'GET fates', answer: { from: text, to: text, rows: expect.any(Array) as unknown } },
  { call: 'GET /api/v1/audits', answer: { audits: [], can_run: true } },
  { call: 'GET /api/v1/refusals', answer: { rows: expect.any(Array) as unknown } },
  { call: 'GET /api/v1/processes', key: admin, answer: { processes: expect.any(Array) as unknown } },
  { call: 'GET /api/v1/disk', answer: { places: expect.any(Array) as unknown } },
  {
    call: 'GET keys',
    key: admin,
    answer: {
      keys: expect.arrayContaining([
        expect.objectContaining({ id: text, power: 'read', hint: 'cdef', created_at: n }),
      ]) as unknown,
    },
  },
  { call: 'GET keys', status: 403, answer: { error: errorOf('HOP_KEY_POWER') } },
  {
    call: `GET /session/${session}`,
    answer: {
      type: 'SESSION',
      start: at,
      // The session ends by its pause, which is over unless the test runs soon after midnight.
      end: expect.toSatisfy((end) => end === null || end === at + 2) as unknown,
      children: ['url_change', 'btn_time', 'click'].map((name, seq) => ({ type: 'EVENT', timestamp: at + seq, name })),
    },
  },
  {
    call: 'GET /session/0f8fad5b-d9cb-469f-a165-000000000000',
    status: 404,
    answer: { error: errorOf('HOP_NOT_FOUND') },
  },
  { call: 'GET /api/v1/login', answer: {} },
  { call: 'GET /api/v1/me', status: 401, answer: { error: errorOf('HOP_LOGIN_REQUIRED') } },
  {
    call: 'GET /api/v1/apps',
    key: admin,
    answer: { apps: [listedApp] },
  },
  { call: 'GET /api/v1/organizations', key: admin, answer: { organizations: [{ id: 'o', name: 'O' }] } },
  {
    call: 'GET /api/v1/members',
    key: admin,
    answer: {
      members: [
        {
          id: 'owner',
          name: 'Owner',
          role: 'owner',
          has_password: false,
          second_factor: false,
          provider_linked: false,
        },
      ],
    },
  },
]

import { expect } from 'vitest'
import {
  at,
  basic,
  element,
  errorOf,
  eventId,
  events,
  read,
  segment,
  session,
  stages,
  taken,
  text,
  type Call,
  when,
  write,
} from './documented-app.fixture.ts'

/** Section 1 of the contract: calls of ingest, in the order in which they are made. */
export const ingestCalls: readonly Call[] = [
  {
    call: 'GET /v1/config',
    answer: {
      funnels: [{ id: 'f', stages: stages.map((stage) => ({ ...stage, test: text })) }],
      elements: [{ xpath: element.xpath, css: 'a:nth-of-type(1)' }],
      page: text,
    },
  },
  {
    call: 'POST /v1/events',
    body: { device_id: 'd1', session_id: session, events },
    status: 202,
    answer: { accepted: 3, rejected: [{ index: 3, reason: 'unknown_type', message: text }] },
  },
  {
    call: 'POST /v1/events',
    body: '{',
    status: 400,
    answer: { error: { code: 'HOP_BODY_INVALID', message: text } },
  },
  {
    call: 'POST /v1/track',
    body: { anonymousId: 'a1', userId: 'u1', occurredAt: new Date(at).toISOString(), type: 'bought', data: { n: 2 } },
    status: 202,
    answer: { ...taken, ids: [eventId] },
  },
  {
    call: 'POST /v1/track',
    body: [1, 2].map((userId) => ({ userId, occurredAt: at, type: 'seen' })),
    status: 202,
    answer: { accepted: 2, rejected: [], ids: [eventId, eventId] },
  },
  {
    call: 'POST /v1/identify',
    body: { anonymousId: 'a1', userId: 'u1', traits: { plan: 'pro' } },
    status: 202,
    answer: { ...taken, ids: [eventId] },
  },
  {
    call: 'POST /v1/batch',
    body: { batch: [{ type: 'track', event: 'e', anonymousId: 's', ...when }] },
    answer: segment,
  },
  { call: 'POST /v1/page', body: { anonymousId: 's', name: 'Home', ...when }, answer: segment },
  { call: 'POST /v1/screen', body: { anonymousId: 's', name: 'Home', ...when }, answer: segment },
  { call: 'POST /v1/group', body: { anonymousId: 's', groupId: 'g', ...when }, answer: segment },
  { call: 'POST /v1/alias', body: { previousId: 's', userId: 'su', ...when }, answer: segment },
  { call: 'POST /v1/track', body: { event: 'e', anonymousId: 's', ...when }, answer: segment },
  {
    call: 'POST /v1/identify',
    body: { writeKey: write, anonymousId: 's', userId: 'su', ...when },
    key: '',
    answer: segment,
  },
  { call: 'POST /v1/t', body: { writeKey: write, event: 'e', anonymousId: 's', ...when }, key: '', answer: segment },
  { call: 'POST /v1/p', body: { anonymousId: 's', ...when }, key: '', headers: basic, answer: segment },
  { call: 'POST /v1/i', body: { anonymousId: 's', userId: 'su', ...when }, key: '', headers: basic, answer: segment },
  { call: 'POST /v1/s', body: { anonymousId: 's', ...when }, key: '', headers: basic, answer: segment },
  { call: 'POST /v1/g', body: { anonymousId: 's', groupId: 'g', ...when }, key: '', headers: basic, answer: segment },
  { call: 'POST /v1/a', body: { previousId: 's', userId: 'su', ...when }, key: '', headers: basic, answer: segment },
  {
    call: `GET /v1/projects/${write}/settings`,
    key: '',
    answer: expect.objectContaining({
      integrations: { 'Segment.io': expect.objectContaining({ apiKey: write }) as unknown },
    }),
  },
  {
    call: 'POST /events',
    body: { events: [{ ts: at, samplerate: 3, data: { event_tag: 'product_view', user: 1 } }] },
    answer: taken,
  },
  {
    call: 'PUT /events',
    body:
      `[{"message_id":"p1","timestamp":"${at}123456","event_type":"order","payload":{"a": 1.0}},` +
      `{"message_id":"p2","timestamp":${at + 1},"event_type":"order","payload":"text"}]`,
    answer: { accepted: 2, rejected: [] },
  },
  {
    call: 'PUT /event',
    body: { message_id: 'p3', timestamp: at + 2, event_type: 'order', payload: { b: 2 } },
    answer: taken,
  },
  {
    call: 'PUT /event',
    body: { message_id: 'p3', timestamp: at + 2, event_type: 'order', payload: { b: 2 } },
    answer: taken,
  },
  {
    call: 'PUT /event',
    body: { message_id: 'p4' },
    key: 'hw_nobody',
    status: 401,
    answer: { error: errorOf('HOP_KEY_UNKNOWN') },
  },
  {
    call: 'PUT /event',
    body: { message_id: 'p4' },
    key: read,
    status: 403,
    answer: { error: errorOf('HOP_KEY_POWER') },
  },
]

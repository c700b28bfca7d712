import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { Envelope, EventsAnswer } from '@hopper/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browser, keys, openIngest, type IngestServer } from './ingest-server.fixture.ts'

const now = Date.parse('2026-03-01T12:00:00Z')
let ingest: IngestServer
beforeAll(async () => {
  ingest = await openIngest({ clock: () => now })
})
afterAll(() => ingest[Symbol.asyncDispose]())

let device = 0
/** Sends events of a new device and returns their envelope. */
async function sendAndRead(
  events: object[],
  body: object = {},
  headers: Record<string, string> = {},
): Promise<Envelope> {
  const device_id = `device-${device++}`
  const answer = await ingest.post({ device_id, ...body, events }, headers)
  expect(answer).toMatchObject({ status: 202, body: { accepted: events.length, rejected: [] } })
  const found = (await ingest.envelopes()).filter((envelope) => envelope.device_id === device_id)
  expect(found).toHaveLength(1)
  return found[0]!
}
const click = (more: object = {}) => ({ type: 1, target: '//a', elapsed_time: 5, current_url: '/', ...more })
const view = (from: string, to: string) => ({ type: 'url_change', from, to, elapsed_time: 0 })

describe('what is stored', () => {
  it('is the event with the name of its type, without unknown fields', async () => {
    const { events } = await sendAndRead(
      [click({ event_id: 'e', timestamp: now - 5, seq: 7, user_id: 'u', extra: 1 })],
      {
        session_id: 's',
      },
    )
    expect(events).toEqual([
      {
        event_id: 'e',
        timestamp: now - 5,
        type: 'click',
        seq: 7,
        session_id: 's',
        user_id: 'u',
        target: '//a',
        elapsed_time: 5,
        current_url: '/',
      },
    ])
  })

  it('has the time of receipt when none was sent, and reads ISO 8601', async () => {
    const { events } = await sendAndRead([click(), click({ timestamp: '2026-03-01T13:00:00+02:00' })])
    expect(events.map(({ timestamp }) => timestamp)).toEqual([now, now - 3_600_000])
  })

  it('contains whole surrogate pairs, but no halves', async () => {
    const device_id = 'surrogates'
    const body = `{"device_id":"${device_id}","events":[{"type":0,"name":"\\ud83d\\ude00 \\ud83d \\\\ud83d"}]}`
    expect((await ingest.post(body)).status).toBe(202)
    const envelope = (await ingest.envelopes()).find((each) => each.device_id === device_id)!
    expect(envelope.events[0]).toMatchObject({ name: '\u{1f600} \ufffd \\ud83d' })
  })

  it('contains every digit of a whole number, so that events that differ in one are two', async () => {
    const device_id = 'long-numbers'
    const event = (id: string): string => `{"type":0,"name":"order","timestamp":${now},"data":{"order":${id}}}`
    const body = `{"device_id":"${device_id}","events":[${event('9007199254740993')},${event('9007199254740992')}]}`
    expect((await ingest.post(body)).body).toEqual({ accepted: 2, rejected: [] })
    const { events } = (await ingest.envelopes()).find((each) => each.device_id === device_id)!
    expect(events.map((each) => 'data' in each && each.data)).toEqual([
      { order: '9007199254740993' },
      { order: 9007199254740992 },
    ])
    expect(new Set(events.map(({ event_id }) => event_id)).size).toBe(2)
  })
})

describe("the sender's clock", () => {
  it('is corrected when it differs by more than 5 s, and its own time is kept', async () => {
    const ahead = 3_600_000
    const { events } = await sendAndRead([click({ timestamp: now + ahead - 1_000 }), click()], { sent_at: now + ahead })
    expect(events[0]).toMatchObject({ timestamp: now - 1_000, client_time: now + ahead - 1_000 })
    expect(events[1]).not.toHaveProperty('client_time')
    expect(events[1]!.timestamp).toBe(now)
  })

  it('is trusted up to 5 s, and without sent_at', async () => {
    for (const body of [{ sent_at: now + 5_000 }, { sent_at: '2026-03-01T11:59:55Z' }, {}]) {
      const { events } = await sendAndRead([click({ timestamp: now - 7 })], body)
      expect(events[0]!.timestamp).toBe(now - 7)
      expect(events[0]).not.toHaveProperty('client_time')
    }
  })

  it('may be years off when sent_at shows it', async () => {
    const { events } = await sendAndRead([click({ timestamp: 1_000 })], { sent_at: 3_000 })
    expect(events[0]).toMatchObject({ timestamp: now - 2_000, client_time: 1_000 })
  })
})

it('makes an envelope for each device, in order, with the rejected events where they belong', async () => {
  const events = [
    click({ event_id: 'a1', device_id: 'split-a' }),
    click({ event_id: 'b1', device_id: 'split-b' }),
    click({ event_id: 'a2', device_id: 'split-a' }),
    click({ event_id: 'b2', device_id: 'split-b', target: '' }),
    { type: 1 },
  ]
  const answer = (await ingest.post({ device_id: 'split-c', events })).body as EventsAnswer
  expect([answer.accepted, answer.rejected.map(({ index }) => index)]).toEqual([3, [3, 4]])
  const byDevice = new Map((await ingest.envelopes()).map((envelope) => [envelope.device_id, envelope]))
  const ids = (id: string) => byDevice.get(id)!.events.map(({ event_id }) => event_id)
  expect([ids('split-a'), ids('split-b'), ids('split-c')]).toEqual([['a1', 'a2'], ['b1'], []])
  expect(byDevice.get('split-a')).not.toHaveProperty('rejected')
  expect(byDevice.get('split-b')!.rejected).toEqual([{ event_id: 'b2', reason: 'invalid_field' }])
  expect(byDevice.get('split-c')!.rejected).toEqual([{ reason: 'missing_field' }])
})

describe('the context', () => {
  it('contains device, browser and system, and no address', async () => {
    const envelope = await sendAndRead([click()], {}, { 'x-forwarded-for': '203.0.113.9' })
    expect(envelope.context).toEqual({ device: 'desktop', browser: 'Chrome', os: 'Linux' })
    expect(JSON.stringify(envelope)).not.toMatch(/203\.0\.113|127\.0\.0\.1/)
  })

  it('contains the bot verdict with its reason', async () => {
    const bot = async (userAgent: string, body = {}) =>
      (await sendAndRead([click()], body, { 'user-agent': userAgent })).context.bot
    expect(await bot(browser)).toBeUndefined()
    expect(await bot('Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)')).toBe('user_agent')
    expect(await bot('')).toBe('no_user_agent')
    expect(await bot(browser, { webdriver: true })).toBe('webdriver')
    expect(await bot('curl/8.5.0')).toBe('user_agent')
  })

  it('contains campaign and referrer of the first page', async () => {
    const arrived = await sendAndRead([
      view(
        'https://www.search.example/q?secret=1',
        'https://shop.example/?utm_source=mail&utm_campaign=a%20b&utm_x=1#top',
      ),
    ])
    expect(arrived.context).toMatchObject({
      utm: { utm_source: 'mail', utm_campaign: 'a b' },
      referrer: 'www.search.example/q',
    })
    const inside = await sendAndRead(
      [view('https://shop.example/a', 'https://shop.example/b')],
      {},
      { referer: 'https://shop.example/b' },
    )
    expect(inside.context).toEqual({ device: 'desktop', browser: 'Chrome', os: 'Linux' })
    const byHeader = await sendAndRead(
      [view('', 'https://shop.example/b')],
      {},
      { referer: 'https://news.example/today' },
    )
    expect(byHeader.context.referrer).toBe('news.example/today')
  })
})

it('answers over a real socket, after the log has the events', async () => {
  const address = await ingest.server.listen({ port: 0, host: '127.0.0.1' })
  expect((ingest.server.server.address() as AddressInfo).port).toBeGreaterThan(0)
  const answer = await fetch(`${address}/v1/events`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${keys.write}`,
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'user-agent': browser,
    },
    body: gzipSync(JSON.stringify({ device_id: 'socket', events: [click({ event_id: 'over-a-socket' })] })),
  })
  expect([answer.status, await answer.json()]).toEqual([202, { accepted: 1, rejected: [] }])
  expect((await ingest.envelopes()).filter(({ device_id }) => device_id === 'socket')).toHaveLength(1)
})

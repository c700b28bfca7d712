import { gzipSync } from 'node:zlib'
import type { ErrorBody } from '@hopper/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundOrigin, browser, keys, openIngest } from '../ingest-server.fixture.ts'
import { RateLimit } from './rate-limit.ts'

const body = { device_id: 'd', events: [{ type: 1, target: '//a', elapsed_time: 5, current_url: '/' }] }

const unlimited = { requests: Infinity, events: Infinity, bytes: Infinity }

describe('the rate of a key', () => {
  it('allows a burst of two seconds, then the rate of the key', () => {
    const limit = new RateLimit({ ...unlimited, requests: 2 })
    const waits = (key: string, ...times: number[]): number[] => times.map((now) => limit.admit(key, now)?.seconds ?? 0)
    expect(waits('a', 0, 0, 0, 0, 0, 0)).toEqual([0, 0, 0, 0, 1, 1])
    expect(waits('b', 0)).toEqual([0])
    expect(waits('a', 500, 500, 900, 1_001, 1_002)).toEqual([0, 1, 0, 0, 1])
    expect(waits('a', 60_000, 60_000, 60_000, 60_000, 60_000)).toEqual([0, 0, 0, 0, 1])
  })

  it('returns the time to wait when the rate is low', () => {
    const limit = new RateLimit({ ...unlimited, requests: 0.1 })
    expect([0, 0, 4_000, 9_000].map((now) => limit.admit('a', now)?.seconds)).toEqual([undefined, 8, 4, undefined])
  })

  it('admits a request larger than the bucket, and no further one until its debt is paid', () => {
    const limit = new RateLimit({ ...unlimited, events: 100 })
    expect(limit.charge('a', { events: 1_000, bytes: 1 }, 0)).toBeUndefined()
    expect(limit.charge('a', { events: 1, bytes: 1 }, 0)).toEqual({ rate: 'events', seconds: 8 })
    expect(limit.admit('a', 7_900)).toEqual({ rate: 'events', seconds: 1 })
    expect(limit.admit('a', 8_100)).toBeUndefined()
  })

  it('never exceeds the rates by more than a burst and one request, for any sizes and times', () => {
    const cost = fc.record({ waitMs: fc.nat(2_000), events: fc.nat(1_000), bytes: fc.nat(1_000_000) })
    fc.assert(
      fc.property(fc.array(cost, { minLength: 1, maxLength: 200 }), (costs) => {
        const limit = new RateLimit({ requests: 5, events: 300, bytes: 100_000 })
        let now = 0
        const passed = { requests: 0, events: 0, bytes: 0 }
        for (const { waitMs, events, bytes } of costs) {
          now += waitMs
          if (limit.admit('a', now)) continue
          passed.requests++
          if (limit.charge('a', { events, bytes }, now)) continue
          passed.events += events
          passed.bytes += bytes
        }
        const seconds = now / 1_000 + 2
        expect(passed.requests).toBeLessThanOrEqual(5 * seconds + 1 + 1e-6)
        expect(passed.events).toBeLessThanOrEqual(300 * seconds + 1_000 + 1e-6)
        expect(passed.bytes).toBeLessThanOrEqual(100_000 * seconds + 1_000_000 + 1e-6)
      }),
    )
  })

  it.each(['requests', 'events', 'bytes'] as const)(
    'answers 429 with Retry-After above the rate of %s, and stores nothing then',
    async (rate) => {
      await using ingest = await openIngest({ rates: { ...unlimited, [rate]: 0.01 } })
      const answers = [await ingest.post(body), await ingest.post(body)]
      expect(answers.map(({ status }) => status)).toEqual([202, 429])
      expect((answers[1]!.body as ErrorBody).error).toMatchObject({ code: 'HOP_RATE', details: { rate } })
      expect(Number(answers[1]!.headers['retry-after'])).toBeGreaterThan(90)
      expect(answers[1]!.headers['access-control-allow-origin']).toBe('*')
      expect(await ingest.envelopes()).toHaveLength(1)
    },
  )

  it('counts the bytes of a compressed body after decompression', async () => {
    await using ingest = await openIngest({ rates: { ...unlimited, bytes: 100 } })
    const large = { ...body, events: Array.from({ length: 400 }, () => body.events[0]) }
    const post = () =>
      ingest.post(gzipSync(JSON.stringify(large)), { 'content-encoding': 'gzip', 'content-type': 'application/json' })
    expect([(await post()).status, (await post()).status]).toEqual([202, 429])
  })

  it('charges costly events for their cost: many values, and past dates', async () => {
    const custom = (data: object, timestamp = Date.now()) => ({ type: 0, name: 'n', timestamp, data })
    const values = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`k${index}`, index]))
    const perSecond = 0.001
    const costs = async (...events: object[]): Promise<number> => {
      await using ingest = await openIngest({ rates: { ...unlimited, events: perSecond } })
      await ingest.post({ device_id: 'd', events })
      return Math.round(Number((await ingest.post(body)).headers['retry-after']) * perSecond)
    }
    const day = 86_400_000
    expect(await costs(custom({}), custom({ a: 1 }))).toBe(2)
    // 200 events of 10 keys: the same keys in all events, then different ones.
    const tenKeys = (from: number): object =>
      custom(Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`k${from + index}`, 1])))
    expect(await costs(...Array.from({ length: 200 }, () => tenKeys(0)))).toBe(400)
    expect(await costs(...Array.from({ length: 200 }, (_, index) => tenKeys(10 * index)))).toBe(
      400 + Math.floor((2_000 - 192) / 8),
    )
    expect(await costs(custom(values))).toBe(8)
    expect(await costs(custom({}, Date.now() - 7 * day), custom({}))).toBe(2)
    expect(
      await costs(
        custom({}, Date.now() - 30 * day),
        custom({}, Date.now() - 60 * day),
        custom({}, Date.now() - 60 * day),
      ),
    ).toBe(23)
  })

  it('applies to that key only', async () => {
    await using ingest = await openIngest({ rates: { ...unlimited, events: 0.01 } })
    await ingest.post(body)
    expect((await ingest.post(body)).status).toBe(429)
    const other = await ingest.server.inject({
      method: 'POST',
      url: `/v1/events?key=${keys.bound}`,
      payload: body,
      headers: { origin: boundOrigin, 'user-agent': browser },
    })
    expect(other.statusCode).toBe(202)
  })
})

it('answers 503 with Retry-After while the log accepts nothing, and logs that once', async () => {
  const logged: string[] = []
  const logger = { info: () => undefined, error: (_fields: unknown, text?: string) => void logged.push(String(text)) }
  await using ingest = await openIngest({ logger })
  expect((await ingest.post(body)).status).toBe(202)
  await ingest.closeStorage()
  for (let attempt = 0; attempt < 3; attempt++) {
    const answer = await ingest.post(body)
    expect([answer.status, (answer.body as ErrorBody).error.code]).toEqual([503, 'HOP_LOG_UNAVAILABLE'])
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  }
  expect(logged).toHaveLength(1)
})

it('answers 503 when too many events wait for the log', async () => {
  await using ingest = await openIngest({ waitingEventsMax: 3 })
  const two = { ...body, events: [...body.events, ...body.events] }
  const answers = await Promise.all([ingest.post(two), ingest.post(two), ingest.post(two)])
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 503, 503])
  expect((await ingest.post(two)).status).toBe(202)
})

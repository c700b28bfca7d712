import type { ErrorBody } from '@hopper/contracts'
import { expect, it } from 'vitest'
import { openGateway } from './gateway.fixture.ts'
import { RateLimit } from './rate-limit.ts'

const body = { device_id: 'd', events: [{ type: 1, target: '//a', elapsed_time: 5, current_url: '/' }] }

it('lets a key have its burst, then its rate', () => {
  const limit = new RateLimit({ requestsPerSecond: 2, burstRequests: 3 })
  const waits = (key: string, ...times: number[]) => times.map((now) => limit.secondsToWait(key, now))
  expect(waits('a', 0, 0, 0, 0, 0)).toEqual([0, 0, 0, 1, 1])
  expect(waits('b', 0)).toEqual([0])
  expect(waits('a', 400, 500, 600, 1_000, 1_001)).toEqual([1, 0, 1, 0, 1])
  expect(waits('a', 60_000, 60_000, 60_000, 60_000)).toEqual([0, 0, 0, 1])
})

it('says how long to wait when the rate is low', () => {
  const limit = new RateLimit({ requestsPerSecond: 0.1, burstRequests: 1 })
  expect([limit.secondsToWait('a', 0), limit.secondsToWait('a', 0), limit.secondsToWait('a', 4_000)]).toEqual([0, 10, 6])
})

it('answers 429 with Retry-After over the rate of a key', async () => {
  await using gateway = await openGateway({ rate: { requestsPerSecond: 0.01, burstRequests: 2 } })
  const answers = [await gateway.post(body), await gateway.post(body), await gateway.post(body)]
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 429])
  expect((answers[2]!.body as ErrorBody).error.code).toBe('HOP_RATE')
  expect(Number(answers[2]!.headers['retry-after'])).toBeGreaterThan(90)
  expect(answers[2]!.headers['access-control-allow-origin']).toBe('*')
})

it('answers 503 with Retry-After while the log takes nothing, and logs that once', async () => {
  const logged: string[] = []
  const logger = { info: () => undefined, error: (_fields: unknown, text?: string) => void logged.push(String(text)) }
  await using gateway = await openGateway({ logger })
  expect((await gateway.post(body)).status).toBe(202)
  await gateway.closeStorage()
  for (let attempt = 0; attempt < 3; attempt++) {
    const answer = await gateway.post(body)
    expect([answer.status, (answer.body as ErrorBody).error.code]).toEqual([503, 'HOP_LOG_UNAVAILABLE'])
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  }
  expect(logged).toHaveLength(1)
})

it('answers 503 when more events wait for the log than may', async () => {
  await using gateway = await openGateway({ waitingEventsMax: 3 })
  const two = { ...body, events: [...body.events, ...body.events] }
  const answers = await Promise.all([gateway.post(two), gateway.post(two), gateway.post(two)])
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 503, 503])
  expect((await gateway.post(two)).status).toBe(202)
})

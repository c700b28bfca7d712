import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { keys } from '@hopper/ingest/ingest-server.fixture'
import { expect, it } from 'vitest'
import type { HopperClientError } from './client-error.ts'
import { Hopper, init } from './hopper.ts'
import type { HopperOptions } from './options.ts'
import { openUnsteady, type Fault, type UnsteadyServer } from './unsteady-server.fixture.ts'

/** at once, but a busy machine may need a moment */
const SOON = { timeout: 15_000, interval: 5 }

interface Sending extends AsyncDisposable {
  readonly client: Hopper
  readonly errors: HopperClientError[]
}

/** Client that retries almost at once, and what it reports. */
function sendTo(server: Pick<UnsteadyServer, 'endpoint'>, options: Partial<HopperOptions> = {}): Sending {
  const errors: HopperClientError[] = []
  const client = new Hopper({
    apiKey: keys.write,
    endpoint: server.endpoint,
    flushIntervalMs: 600_000,
    retryBaseMs: 1,
    retryMaxMs: 5,
    onError: (error) => void errors.push(error),
    ...options,
  })
  return { client, errors, [Symbol.asyncDispose]: () => client.close() }
}

/** Repeatable random numbers (a linear congruential generator): half of the requests fail, in every way there is. */
function failHalf(seed: number): (request: number) => Fault {
  let state = seed
  const next = (below: number): number => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return Math.floor((state / 4_294_967_296) * below)
  }
  const faults = ['unavailable', 'too many', 'request lost', 'answer lost'] as const
  return () => (next(2) === 0 ? 'none' : faults[next(faults.length)]!)
}

it('delivers every event, counted exactly once, to a server that fails half of the time', async () => {
  await using server = await openUnsteady(failHalf(7))
  await using sending = sendTo(server, { batchEventsMax: 10 })
  const { client, errors } = sending
  const ids = Array.from({ length: 1_000 }, (_, n) =>
    client.track({ name: 'sold', anonymousId: `till-${n % 7}`, data: { n } }),
  )
  expect(await client.flush({ timeoutMs: 60_000 })).toBe(true)
  expect(client.figures).toEqual({ tracked: 1_000, acknowledged: 1_000, lost: 0, queued: 0 })

  const inLog = await server.events()
  expect(new Set(inLog.map(({ event_id }) => event_id))).toEqual(new Set(ids))
  // Lost answers: the log has those events several times, recognizable by their ids.
  expect(server.faults).toContain('answer lost')
  expect(inLog.length).toBeGreaterThan(1_000)
  expect(await server.fates()).toEqual({ accepted: 1_000, duplicate: inLog.length - 1_000 })
  const failed = server.faults.filter((fault) => fault !== 'none').length
  expect(errors.map(({ code, willRetry }) => [code, willRetry])).toEqual(
    Array.from({ length: failed }, () => ['unavailable', true]),
  )
})

it('keeps the order of the events of a device when requests fail', async () => {
  await using server = await openUnsteady(failHalf(11))
  await using sending = sendTo(server, { batchEventsMax: 3 })
  const ids = Array.from({ length: 60 }, () => sending.client.track({ type: 'step', anonymousId: 'till' }))
  expect(await sending.client.flush({ timeoutMs: 60_000 })).toBe(true)
  const firsts = [...new Set((await server.events()).map(({ event_id }) => event_id))]
  expect(firsts).toEqual(ids)
})

it('sends custom events and identifies in the form of ingest, with times, people and properties', async () => {
  await using server = await openUnsteady()
  const client = init({
    apiKey: keys.write,
    endpoint: `${server.endpoint}/`,
    onError: (error) => expect.fail(`${error}`),
  })
  const at = new Date(Date.now() - 60_000)
  client.track({ name: 'bought', userId: 'ann', data: { price: 12.5, gift: true, items: ['a'] }, occurredAt: at })
  client.track({ type: 'paid', anonymousId: 'd1', sessionId: 's1', eventId: 'order-7', occurredAt: at.toISOString() })
  client.identify({ anonymousId: 'd1', userId: 'ann', traits: { plan: 'pro' }, occurredAt: at.getTime() })
  await client.close()
  const events = (await server.events()).map(({ device_id, event_id, seq: _, ...event }) => ({
    ...event,
    ...(device_id === 'd1' && { device_id }),
    ...(event_id === 'order-7' && { event_id }),
  }))
  const timestamp = at.getTime()
  expect(new Set(events)).toEqual(
    new Set<unknown>([
      { type: 'custom', name: 'bought', user_id: 'ann', data: { price: 12.5, gift: true, items: '["a"]' }, timestamp },
      { type: 'custom', name: 'paid', session_id: 's1', timestamp, device_id: 'd1', event_id: 'order-7' },
      { type: 'identify', user_id: 'ann', data: { plan: 'pro' }, timestamp, device_id: 'd1' },
    ]),
  )
})

it('sends a batch when it is full by number or by bytes, or when the first event has waited long enough', async () => {
  await using server = await openUnsteady()
  await using byNumber = sendTo(server, { batchEventsMax: 4 })
  for (let n = 0; n < 10; n++) byNumber.client.track({ name: 'n', anonymousId: 'd' })
  await expect.poll(() => byNumber.client.figures.acknowledged, SOON).toBe(8)
  await byNumber.client.flush()
  expect(server.requests.map((ids) => ids.length)).toEqual([4, 4, 2])

  server.requests.length = 0
  await using byBytes = sendTo(server, { batchBytesMax: 3_000 })
  for (let n = 0; n < 3; n++) byBytes.client.track({ name: 'n', anonymousId: 'd', data: { text: 'x'.repeat(1_400) } })
  await byBytes.client.flush()
  expect(server.requests.map((ids) => ids.length)).toEqual([1, 1, 1])

  await using byTime = sendTo(server, { flushIntervalMs: 5 })
  byTime.client.track({ name: 'n', anonymousId: 'd' })
  await expect.poll(() => byTime.client.figures.acknowledged, SOON).toBe(1)
})

it.each([
  ['an unknown key', { apiKey: 'hw_nobody_0123456789' }, 401, 'HOP_KEY_UNKNOWN'],
  ['a key that may not write', { apiKey: keys.read }, 403, 'HOP_KEY_POWER'],
])('reports %s and does not send again', async (_, options, status, code) => {
  await using server = await openUnsteady()
  await using sending = sendTo(server, options)
  const id = sending.client.track({ name: 'n', anonymousId: 'd' })
  expect(await sending.client.flush()).toBe(true)
  expect(server.requests).toHaveLength(1)
  expect(sending.errors).toMatchObject([{ code: 'refused', status, eventIds: [id], willRetry: false }])
  expect(sending.errors[0]!.message).toContain(code)
  expect(sending.client.figures).toEqual({ tracked: 1, acknowledged: 0, lost: 1, queued: 0 })
})

it('reports events that Hopper rejects, and delivers the others of the request', async () => {
  await using server = await openUnsteady()
  await using sending = sendTo(server)
  const old = sending.client.track({ name: 'n', anonymousId: 'd', occurredAt: 0 })
  const good = sending.client.track({ name: 'n', anonymousId: 'd' })
  await sending.client.flush()
  expect(sending.errors).toMatchObject([{ code: 'rejected', eventIds: [old] }])
  expect((await server.events()).map(({ event_id }) => event_id)).toEqual([good])
})

it('waits as long as Retry-After asks, also when it is flushed and closed', async () => {
  await using server = await openUnsteady(() => 'too many', '3600')
  await using sending = sendTo(server, { closeTimeoutMs: 50 })
  sending.client.track({ name: 'n', anonymousId: 'd' })
  expect(await sending.client.flush({ timeoutMs: 50 })).toBe(false)
  await sending.client.close()
  expect(server.requests).toHaveLength(1)
  expect(sending.errors.map(({ code, retryInMs }) => [code, retryInMs])).toEqual([
    ['unavailable', 3_600_000],
    ['closed', undefined],
  ])
})

it('keeps the oldest events when its queue is full, and counts and reports those that it refuses', async () => {
  await using server = await openUnsteady((request) => (request === 0 ? 'unavailable' : 'none'), '3600')
  const queue = { queueEventsMax: 5, batchEventsMax: 2, closeTimeoutMs: 20 }
  await using sending = sendTo(server, queue)
  const ids = Array.from({ length: 12 }, () => sending.client.track({ name: 'n', anonymousId: 'd' }))
  expect(ids.map((id) => id !== undefined)).toEqual([...Array(5).fill(true), ...Array(7).fill(false)])
  expect(sending.client.figures).toEqual({ tracked: 12, acknowledged: 0, lost: 7, queued: 5 })
  await sending.client.close()
  const full = sending.errors.filter(({ code }) => code === 'queue_full')
  expect(full.map(({ events }) => events)).toEqual([1, 6])
  expect(sending.errors.at(-2)).toMatchObject({ code: 'closed', eventIds: ids.slice(0, 5) })

  await using byBytes = sendTo(server, { queueBytesMax: 1_000 })
  const large = { name: 'n', anonymousId: 'd', data: { text: 'x'.repeat(600) } }
  expect([byBytes.client.track(large), byBytes.client.track(large)]).toEqual([expect.any(String), undefined])
})

it('never throws for an event that it cannot send, and reports it', async () => {
  await using server = await openUnsteady()
  await using sending = sendTo(server)
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  const wrong: unknown[] = [
    undefined,
    'signed_up',
    {},
    { name: '' },
    { name: 'n' },
    { name: 'n', anonymousId: 'd', data: circle },
    { name: 'n', anonymousId: 'd', data: { n: 1n } },
    { name: 'n', anonymousId: 'd', occurredAt: 'yesterday' },
    { name: 'n', anonymousId: 'd', occurredAt: Symbol('now') },
    { name: 'n', anonymousId: 'd', data: { text: 'x'.repeat(600_000) } },
  ]
  for (const each of wrong) expect(sending.client.track(each as never)).toBeUndefined()
  expect(sending.client.identify({ anonymousId: 'd' } as never)).toBeUndefined()
  expect(sending.errors.map(({ code }) => code)).toEqual([
    ...Array(wrong.length - 1).fill('invalid_event'),
    'too_large',
    'invalid_event',
  ])
  expect(sending.client.figures.lost).toBe(wrong.length + 1)
  await sending.client.close()
  expect(sending.client.track({ name: 'n', anonymousId: 'd' })).toBeUndefined()
  expect(sending.errors.at(-1)).toMatchObject({ code: 'closed' })
  expect(server.requests).toEqual([])
})

it('continues when its handler of errors throws or rejects', async () => {
  await using server = await openUnsteady((request) => (request < 2 ? 'unavailable' : 'none'))
  let calls = 0
  const onError = (): never => {
    if (calls++ === 0) throw new Error('in the handler')
    return Promise.reject(new Error('in the handler')) as never
  }
  await using sending = sendTo(server, { onError })
  sending.client.track({ name: 'n', anonymousId: 'd' })
  expect(await sending.client.flush()).toBe(true)
  expect([calls, sending.client.figures.acknowledged]).toEqual([2, 1])
})

it('does not take the answer of another program for an acknowledgement', async () => {
  const page = createServer((request, response) => void request.resume().on('end', () => response.end('<html>')))
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => void page.close())
  const endpoint = `http://127.0.0.1:${(page.address() as AddressInfo).port}`
  const { client, errors } = stack.use(sendTo({ endpoint }, { closeTimeoutMs: 20 }))
  client.track({ name: 'n', anonymousId: 'd' })
  expect(await client.flush({ timeoutMs: 20 })).toBe(false)
  expect(errors[0]).toMatchObject({ code: 'unavailable', status: 200, willRetry: true })
})

it('names every bad option at once', () => {
  const options = { apiKey: 'no key', endpoint: 'ftp://x', batchEventsMax: 0, queueBytesMax: NaN }
  const make = (): Hopper => new Hopper(options)
  expect(make).toThrow(TypeError)
  for (const name of Object.keys(options)) expect(make).toThrow(name)
})

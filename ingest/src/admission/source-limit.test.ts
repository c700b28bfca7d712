import { expect, it } from 'vitest'
import { keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'

const body = { device_id: 'd', events: [{ type: 1, target: '//a', elapsed_time: 5, current_url: '/' }] }
const behindOneProxy = { trustProxy: (_address: string, hop: number) => hop < 1 }
const rates = { requests: 1_000, events: 10_000, bytes: 10_000_000 }
/** One request in ten seconds for each address, so that a slow machine makes no difference. */
const sourceSharePercent = 0.01

async function statuses(
  ingest: IngestServer,
  times: number,
  forwarded: (index: number) => string,
  key = keys.write,
): Promise<number[]> {
  const answers = []
  for (let index = 0; index < times; index++) {
    const headers = { 'x-forwarded-for': forwarded(index), 'x-api-key': key }
    answers.push(await ingest.server.inject({ method: 'POST', url: '/v1/events', payload: body, headers }))
  }
  return answers.map(({ statusCode }) => statusCode)
}

it('limits one address to its share of a key, so that others can still send with the same key', async () => {
  await using ingest = await openIngest({ rates, sourceSharePercent }, behindOneProxy)
  expect((await statuses(ingest, 3, () => '203.0.113.1'))[1]).toBe(429)
  expect(await statuses(ingest, 1, () => '203.0.113.2')).toEqual([202])
})

it('limits events and bytes of an address as well as its requests', async () => {
  const ingestRates = { requests: 1_000_000, events: 1_000, bytes: 10_000_000 }
  await using ingest = await openIngest({ rates: ingestRates, sourceSharePercent }, behindOneProxy)
  const sent = await ingest.server.inject({
    method: 'POST',
    url: '/v1/events',
    payload: { device_id: 'd', events: Array.from({ length: 50 }, () => body.events[0]) },
    headers: { 'x-forwarded-for': '203.0.113.1', 'x-api-key': keys.write },
  })
  expect(sent.statusCode).toBe(202)
  const next = await ingest.server.inject({
    method: 'POST',
    url: '/v1/events',
    payload: body,
    headers: { 'x-forwarded-for': '203.0.113.1', 'x-api-key': keys.write },
  })
  expect(next.json()).toMatchObject({ error: { code: 'HOP_RATE', details: { rate: 'events', by: 'address' } } })
})

it('counts an IPv6 network as one source, and guesses of keys too', async () => {
  await using ingest = await openIngest({ rates, sourceSharePercent }, behindOneProxy)
  const guesses = await statuses(ingest, 2, (index) => `2001:db8:1:2::${index}`, 'hw_no_such_key_at_all')
  expect(guesses).toEqual([401, 429])
})

it('trusts as many entries as there are proxies, whatever a client writes before them', async () => {
  await using ingest = await openIngest({ rates, sourceSharePercent }, behindOneProxy)
  expect(await statuses(ingest, 2, (index) => `198.51.100.${index}, 203.0.113.1`)).toEqual([202, 429])
})

it('ignores the header without a trusted proxy', async () => {
  await using ingest = await openIngest({ rates, sourceSharePercent }, { trustProxy: false })
  expect(await statuses(ingest, 3, () => '203.0.113.1')).toEqual([202, 202, 202])
})

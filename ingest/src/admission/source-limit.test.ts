import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { limits } from '@hopper/contracts'
import { expect, it } from 'vitest'
import { keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'

const body = { device_id: 'd', events: [{ type: 1, target: '//a', elapsed_time: 5, current_url: '/' }] }
const behindOneProxy = { trustProxy: (_address: string, hop: number) => hop < 1 }
const rates = { requests: 1_000, events: 10_000, bytes: 10_000_000 }
/** One request in a hundred seconds for each address, so that a slow machine makes no difference. */
const sourceSharePercent = 0.001

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

const junk: readonly [url: string, body: string][] = [
  ['/v1/track', '{"event":"x"}'],
  ['/v1/identify', '{"userId":"x"}'],
  ['/v1/batch', '{"batch":[]}'],
  ['/v1/batch', 'no JSON'],
  ['/v1/page', `{"writeKey":"${'x'.repeat(50)}"}`],
  ['/batch/', '{}'],
  ['/e/', '[]'],
  ['/v1/m', '{}'],
  ['/flags/', '{}'],
  ['/decide/', '{}'],
]

it('charges the address that sends junk to a call with the key in its body, and serves its neighbour', async () => {
  await using ingest = await openIngest({ rates, sourceSharePercent }, behindOneProxy)
  const send = async (address: string, to: string, body: string): Promise<number> => {
    const headers = { 'x-forwarded-for': address, 'content-type': 'application/json' }
    return (await ingest.server.inject({ method: 'POST', url: to, payload: body, headers })).statusCode
  }
  for (const [at, [url, body]] of junk.entries()) {
    const address = `203.0.113.${at}`
    const [first, ...more] = [
      await send(address, url, body),
      await send(address, url, body),
      await send(address, url, body),
    ]
    expect([url, body, first < 429, ...more]).toEqual([url, body, true, 429, 429])
  }
  const good = JSON.stringify({ writeKey: keys.write, type: 'track', event: 'x', userId: 'u' })
  expect(await send('203.0.113.200', '/v1/t', good)).toBe(200)
})

it('charges the bytes of bodies without a key to their address', async () => {
  const few = { requests: 1_000_000, events: 1_000_000, bytes: 1_000 }
  await using ingest = await openIngest({ rates: few, sourceSharePercent: 1 }, behindOneProxy)
  for (const url of ['/v1/batch', '/e/', '/flags/', '/v1/m']) {
    const send = async (address: string): Promise<number> => {
      const headers = { 'x-forwarded-for': address, 'content-type': 'application/json' }
      const payload = JSON.stringify({ junk: 'x'.repeat(5_000) })
      return (await ingest.server.inject({ method: 'POST', url, payload, headers })).statusCode
    }
    const address = `203.0.113.${url.length}`
    expect([url, (await send(address)) < 429, await send(address)]).toEqual([url, true, 429])
  }
})

it('charges the bytes of a body without a key that is too large as well', async () => {
  const few = { requests: 1_000_000, events: 1_000_000, bytes: 1_000 }
  await using ingest = await openIngest({ rates: few, sourceSharePercent: 1 }, behindOneProxy)
  for (const url of ['/v1/batch', '/e/', '/flags/', '/v1/m']) {
    const send = async (body: string | Readable): Promise<number> => {
      const headers = { 'x-forwarded-for': `203.0.113.${url.length}`, 'content-type': 'application/json' }
      return (await ingest.server.inject({ method: 'POST', url, payload: body, headers })).statusCode
    }
    // without a declared length, so that its bytes arrive
    const first = await send(Readable.from([Buffer.alloc(limits.bodyBytesMax + 1, ' ')]))
    expect([url, first, await send('{}')]).toEqual([url, 413, 429])
  }
})

it('counts guesses of keys in the address of the tracker', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-tracker-'))
  const trackerFile = join(dir, 'hopper.js')
  writeFileSync(trackerFile, 'export {}')
  await using ingest = await openIngest({ rates, sourceSharePercent, trackerFile }, behindOneProxy)
  const guess = async (at: number): Promise<number> => {
    const headers = { 'x-forwarded-for': '203.0.113.1' }
    return (await ingest.server.inject({ url: `/hopper.js?key=hw_guess_${at}`, headers })).statusCode
  }
  expect([await guess(1), await guess(2)]).toEqual([401, 429])
  rmSync(dir, { recursive: true })
})

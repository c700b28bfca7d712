import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { ErrorBody, TrackerConfig } from '@hopper/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { boundOrigin, browser, keys, openIngest, type IngestServer } from './ingest-server.fixture.ts'

const script = `/* the tracker */ ${'track();'.repeat(200)}`
const dir = mkdtempSync(join(tmpdir(), 'hopper-tracker-'))
const trackerFile = join(dir, 'hopper.js')
let ingest: IngestServer
beforeAll(async () => {
  writeFileSync(trackerFile, script)
  ingest = await openIngest({ trackerFile })
})
afterAll(async () => {
  await ingest[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})
const get = (url: string, headers: Record<string, string> = {}) => ingest.server.inject({ url, headers })

describe('a page of another origin', () => {
  it('may send events without credentials: the preflight is answered', async () => {
    const answer = await ingest.server.inject({
      method: 'OPTIONS',
      url: '/v1/events',
      headers: {
        origin: 'https://any.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-api-key',
      },
    })
    expect(answer.statusCode).toBe(204)
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': '*', 'access-control-allow-methods': 'POST' })
    expect(answer.headers['access-control-allow-headers']).toContain('x-api-key')
    expect(answer.headers).not.toHaveProperty('access-control-allow-credentials')
  })

  it('may read the answer, including errors', async () => {
    for (const [body, status] of [
      ['{"events":[]}', 202],
      ['{', 400],
    ] as const) {
      const answer = await ingest.post(body, { origin: 'https://any.example' })
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([status, '*'])
    }
  })

  it('is refused when the app lists origins without it', async () => {
    const post = async (origin?: string) => {
      const headers = { 'content-type': 'text/plain', 'user-agent': browser, ...(origin && { origin }) }
      const answer = await ingest.server.inject({
        method: 'POST',
        url: `/v1/events?key=${keys.bound}`,
        payload: '{"events":[]}',
        headers,
      })
      return answer.statusCode === 202 ? 'taken' : answer.json<ErrorBody>().error.code
    }
    expect(await post(boundOrigin)).toBe('taken')
    expect(await post()).toBe('taken')
    for (const origin of ['https://evil.example', 'null', `${boundOrigin}.evil.example`])
      expect(await post(origin)).toBe('HOP_ORIGIN')
  })
})

describe('the configuration of the tracker', () => {
  const url = `/v1/config?key=${keys.write}`

  it('contains funnels and elements of the app of the key, and nothing else', async () => {
    const { funnels, elements } = ingest.storage.registry
    const stages = [
      { id: 1, name: 'home', url: '/' },
      { id: 2, name: 'cart', click: '#add' },
    ]
    await funnels.put('bound', 'f', { id: 'f', name: 'Secret name', stages })
    await elements.put('bound', '//a', { name: 'Secret name', xpath: '//a' })
    const answer = await get(`/v1/config?key=${keys.bound}`)
    expect(answer.json<TrackerConfig>()).toEqual({
      page: expect.any(String),
      funnels: [{ id: 'f', stages: stages.map((stage) => ({ ...stage, test: expect.any(String) })) }],
      elements: [{ xpath: '//a', css: 'a' }],
    })
    expect((await get(url)).json()).toEqual({ page: expect.any(String), funnels: [], elements: [] })
  })

  it('contains the options of the tracker that are on', async () => {
    const { apps } = ingest.storage.registry
    const app = (await apps.get('acme', 'bound'))!
    const tracker = { consent: true, cookieless: false, cross_domains: ['shop.example'], subdomains: true }
    await apps.put('acme', 'bound', { ...app, tracker })
    await expect
      .poll(async () => (await get(`/v1/config?key=${keys.bound}`)).json<TrackerConfig>().tracker, { timeout: 10_000 })
      .toEqual({ consent: true, cross_domains: ['shop.example'], subdomains: true })
    await apps.put('acme', 'bound', app)
  })

  it('is cached for a minute, open to every origin, and answered 304 when the browser has it', async () => {
    const { headers } = await get(url)
    expect(headers).toMatchObject({ 'cache-control': 'public, max-age=60', 'access-control-allow-origin': '*' })
    const again = await get(url, { 'if-none-match': String(headers.etag) })
    expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', headers.etag])
    expect((await get(url, { 'if-none-match': '"other"' })).statusCode).toBe(200)
  })

  it('needs a write key', async () => {
    expect((await get('/v1/config')).statusCode).toBe(401)
    expect((await get(`/v1/config?key=${keys.read}`)).statusCode).toBe(403)
  })
})

describe('the tracker', () => {
  it('is served as it was built, compressed as the browser asks', async () => {
    const plain = await get('/hopper.js')
    expect([plain.body, plain.headers['content-type']]).toEqual([script, 'text/javascript; charset=utf-8'])
    expect(plain.headers).not.toHaveProperty('content-encoding')
    const brotli = await get('/hopper.js', { 'accept-encoding': 'gzip, deflate, br, zstd' })
    expect([brotli.headers['content-encoding'], brotliDecompressSync(brotli.rawPayload).toString()]).toEqual([
      'br',
      script,
    ])
    const gzip = await get('/hopper.js', { 'accept-encoding': 'gzip, br;q=0' })
    expect([gzip.headers['content-encoding'], gunzipSync(gzip.rawPayload).toString()]).toEqual(['gzip', script])
  })

  it('is cached briefly under its name, and permanently under its hash', async () => {
    const byName = await get('/hopper.js')
    expect(byName.headers).toMatchObject({ 'cache-control': 'public, max-age=300', vary: 'accept-encoding' })
    expect((await get('/hopper.js', { 'if-none-match': String(byName.headers.etag) })).statusCode).toBe(304)
    const byHash = await get(`/hopper.${createHash('sha256').update(script).digest('hex').slice(0, 16)}.js`)
    expect([byHash.body, byHash.headers['cache-control']]).toEqual([script, 'public, max-age=31536000, immutable'])
    expect((await get('/hopper.0123456789abcdef.js')).statusCode).toBe(404)
  })

  it('stops the start when it is missing', async () => {
    await expect(openIngest({ trackerFile: join(dir, 'missing.js') })).rejects.toMatchObject({ code: 'HOP_CONFIG' })
  })
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEmbedded } from '@hopper/storage/embedded'
import { keys, openInstallation, type Installation } from '../testing/installation.fixture.ts'

let hopper: Installation
const dashboardDir = mkdtempSync(join(tmpdir(), 'hopper-compression-'))
const script = `export const text = '${'abc '.repeat(2_000)}'`
const PAGE = '<!doctype html><title>Hopper</title>'

beforeAll(async () => {
  mkdirSync(join(dashboardDir, 'assets'))
  writeFileSync(join(dashboardDir, 'index.html'), PAGE)
  const file = join(dashboardDir, 'assets', 'main-abc123.js')
  writeFileSync(file, script)
  writeFileSync(`${file}.br`, brotliCompressSync(script))
  writeFileSync(`${file}.gz`, gzipSync(script))
  hopper = await openInstallation(openEmbedded, { dashboardDir })
})
afterAll(async () => {
  await hopper.close()
  rmSync(dashboardDir, { recursive: true })
})

const read = { authorization: `Bearer ${keys.read}` }

async function answerTo(
  url: string,
  encoding: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Record<string, unknown>; raw: Buffer }> {
  const answer = await hopper.app.inject({ url, headers: { 'accept-encoding': encoding, ...headers } })
  return { status: answer.statusCode, headers: answer.headers, raw: answer.rawPayload }
}

test('large answers are compressed as the client accepts it, and are the same once decompressed', async () => {
  for (const url of ['/openapi.json', '/schemas/query.json']) {
    const plain = await answerTo(url, 'identity')
    expect(plain.headers['content-encoding']).toBeUndefined()
    const brotli = await answerTo(url, 'gzip, deflate, br, zstd')
    expect(brotli.headers).toMatchObject({ 'content-encoding': 'br', vary: expect.stringContaining('accept-encoding') })
    expect(brotliDecompressSync(brotli.raw)).toEqual(plain.raw)
    expect(brotli.raw.length).toBeLessThan(plain.raw.length / 3)
    const gzip = await answerTo(url, 'gzip')
    expect(gzip.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(gzip.raw)).toEqual(plain.raw)
    expect(brotli.headers['etag']).toBe(plain.headers['etag'])
    const again = await answerTo(url, 'br', { 'if-none-match': String(brotli.headers['etag']) })
    expect([again.status, again.raw.length]).toEqual([304, 0])
  }
})

test('reports are compressed, as JSON and as CSV', async () => {
  const url = '/api/v1/apps/shop/traffic?by=hour&from=2026-03-01&to=2026-03-30'
  for (const accept of ['application/json', 'text/csv']) {
    const plain = await answerTo(url, 'identity', { ...read, accept })
    const packed = await answerTo(url, 'br', { ...read, accept })
    expect([packed.headers['content-encoding'], packed.headers['content-type']]).toEqual([
      'br',
      plain.headers['content-type'],
    ])
    expect(brotliDecompressSync(packed.raw).toString()).toBe(plain.raw.toString())
    expect(packed.headers['vary']).toMatch(/accept\b.*accept-encoding/)
  }
})

test('small answers, exports and errors are sent uncompressed', async () => {
  for (const url of [
    '/api/v1/apps/shop/agents?by=device',
    '/api/v1/apps/shop/export?format=csv&from=2026-03-01',
    '/api/v1/apps/nothing/agents?by=device',
  ]) {
    const answer = await answerTo(url, 'gzip, br', read)
    expect([url, answer.headers['content-encoding']]).toEqual([url, undefined])
  }
})

test('files of the dashboard are served as they were compressed on disk, and its page with an entity tag', async () => {
  for (const [accepted, encoding, unpack] of [
    ['gzip, br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['identity', undefined, (raw: Buffer) => raw],
  ] as const) {
    const { headers, raw } = await answerTo('/assets/main-abc123.js', accepted)
    expect(headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': expect.stringContaining('javascript'),
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    })
    expect(headers['content-encoding']).toBe(encoding)
    expect(unpack(raw).toString()).toBe(script)
  }
  const page = await answerTo('/apps/shop/funnel', 'br', { accept: 'text/html' })
  expect(page.raw.toString()).toBe(PAGE)
  const again = await answerTo('/apps/shop/funnel', 'br', {
    accept: 'text/html',
    'if-none-match': String(page.headers['etag']),
  })
  expect([again.status, again.raw.length, again.headers['cache-control']]).toEqual([304, 0, 'no-cache'])
})

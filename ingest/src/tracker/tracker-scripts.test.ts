import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { TrackerOptions, trackerVariant, type ErrorBody } from '@hopper/contracts'
import { afterAll, expect, it } from 'vitest'
import { keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'
import { firstPartyPath } from './first-party-path.ts'
import { TrackerScripts } from './tracker-scripts.ts'

const root = mkdtempSync(join(tmpdir(), 'hopper-variants-'))
afterAll(() => rmSync(root, { recursive: true }))

/** Writes builds and their index as the tracker's build does; returns the path of the default build. */
function build(index: Record<string, string>, files: Record<string, string>): string {
  const dir = mkdtempSync(join(root, 'dist-'))
  mkdirSync(join(dir, 'variants'))
  writeFileSync(join(dir, 'hopper.js'), 'plain()')
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, 'variants', name), text)
  writeFileSync(join(dir, 'variants.json'), JSON.stringify(index))
  return join(dir, 'hopper.js')
}
const trackerFile = build(
  {
    default: 'default.js',
    consent: 'variants/consent.js',
    'consent+hash_routing': 'consent+hash.js',
    subdomains: 'same.js',
  },
  { 'default.js': 'plain()', 'consent.js': 'consent()', 'consent+hash.js': 'consent(hash)', 'same.js': 'consent()' },
)

async function withApp<T>(app: object, work: (ingest: IngestServer) => Promise<T>): Promise<T> {
  await using ingest = await openIngest({ trackerFile }, { rewriteUrl: ({ url = '' }) => firstPartyPath(url) })
  const { apps } = ingest.storage.registry
  await apps.put('acme', 'shop', { ...(await apps.get('acme', 'shop'))!, ...app })
  return await work(ingest)
}

it('a variant is named by the options that are on, in alphabetical order', () => {
  const every = Object.fromEntries(
    Object.keys(TrackerOptions.properties).map((name) => [name, name === 'cross_domains' ? ['a.example'] : true]),
  )
  expect(trackerVariant({})).toBe('default')
  expect(trackerVariant({ tracker: { visible_time: true } as object })).toBe('default')
  expect(trackerVariant({ tracker: { consent: false, cross_domains: [] }, hash_routing: false })).toBe('default')
  expect(trackerVariant({ tracker: every, hash_routing: true })).toBe(
    [...Object.keys(every), 'hash_routing'].sort().join('+'),
  )
})

it('each app gets the build with its options, and no key the one without', async () => {
  const cases: [object, string][] = [
    [{}, 'plain()'],
    [{ tracker: { consent: true } }, 'consent()'],
    [{ tracker: { consent: true }, hash_routing: true }, 'consent(hash)'],
  ]
  for (const [app, text] of cases)
    await withApp(app, async ({ server }) => {
      const answer = await server.inject({ url: `/hopper.js?key=${keys.write}`, headers: { 'accept-encoding': 'br' } })
      expect(brotliDecompressSync(answer.rawPayload).toString()).toBe(text)
      expect(answer.headers).toMatchObject({
        'cache-control': 'public, max-age=300',
        'access-control-allow-origin': '*',
        vary: 'accept-encoding',
      })
      const { etag } = answer.headers
      const again = await server.inject({
        url: `/hopper.js?key=${keys.write}`,
        headers: { 'if-none-match': String(etag) },
      })
      expect(again.statusCode).toBe(304)
      expect((await server.inject({ url: '/hopper.js' })).body).toBe('plain()')
    })
})

it('a build is served forever under its hash, also below a path of the site with a name of its own', () =>
  withApp({}, async ({ server }) => {
    const hash = createHash('sha256').update('consent()').digest('hex').slice(0, 16)
    for (const url of [`/hopper.${hash}.js`, `/stats/any-name.${hash}.js`]) {
      const answer = await server.inject({ url })
      expect([answer.statusCode, answer.body]).toEqual([200, 'consent()'])
      expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    }
    expect((await server.inject({ url: `/stats/any-name.js?key=${keys.write}` })).body).toBe('plain()')
  }))

// `npm run build` has made it
const realFile = join(import.meta.dirname, '../../../tracker/dist/hopper.js')
it.skipIf(!existsSync(realFile))('the real index names the build of an app, which has its options', async () => {
  const scripts = await TrackerScripts.open(realFile)
  const cases = [{}, { cookieless: true }, { consent: true, subdomains: true }, { cross_domains: ['a.example'] }]
  const texts = cases.map((tracker) => scripts.of({ tracker, hash_routing: true }).bytes.toString())
  expect(new Set(texts).size).toBe(cases.length)
  expect(texts.map((text) => text.includes('cookieless:'))).toEqual([false, true, false, false])
  expect(texts.map((text) => text.includes('document.cookie='))).toEqual([false, false, true, false])
  expect(texts.map((text) => text.includes('_hopper'))).toEqual([false, false, false, true])
  await using ingest = await openIngest({ trackerFile: realFile })
  const { apps } = ingest.storage.registry
  await apps.put('acme', 'shop', { ...(await apps.get('acme', 'shop'))!, tracker: { cookieless: true } })
  expect((await ingest.server.inject({ url: `/hopper.js?key=${keys.write}` })).body).toBe(texts[1])
})

it('an app whose options have no build gets none: another might not wait for consent', () =>
  withApp({ tracker: { cookieless: true } }, async ({ server }) => {
    const answer = await server.inject({ url: `/hopper.js?key=${keys.write}` })
    expect(answer.statusCode).toBe(500)
    expect(answer.json<ErrorBody>().error).toMatchObject({
      code: 'HOP_CONFIG',
      message: expect.stringContaining('cookieless') as unknown,
    })
  }))

it('the picker is served beside the other calls, to any page', async () => {
  const file = build({}, {})
  writeFileSync(join(dirname(file), 'picker.js'), 'pick()')
  await using ingest = await openIngest({ trackerFile: file })
  const answer = await ingest.server.inject({ url: `/v1/picker.js?key=${keys.write}` })
  expect([answer.statusCode, answer.body]).toEqual([200, 'pick()'])
  expect(answer.headers).toMatchObject({ 'access-control-allow-origin': '*', 'cache-control': 'public, max-age=300' })
})

it('an unknown key gets no script, and a page can read why', () =>
  withApp({}, async ({ server }) => {
    for (const [key, status] of [
      ['hw_unknown', 401],
      [keys.read, 403],
      ['', 401],
    ] as const) {
      const answer = await server.inject({ url: `/hopper.js?key=${key}` })
      expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([status, '*'])
    }
  }))

it('builds with the same content are one, with the integrity that browsers compute', async () => {
  const scripts = await TrackerScripts.open(trackerFile)
  expect(scripts.all.map(({ bytes }) => bytes.toString())).toEqual(['plain()', 'consent()', 'consent(hash)'])
  expect(scripts.of({ tracker: { consent: true } })).toBe(scripts.of({ tracker: { subdomains: true } }))
  expect(scripts.default.integrity).toBe(`sha384-${createHash('sha384').update('plain()').digest('base64')}`)
})

it.each([[{ consent: '../../secret.js' }], [{ consent: 7 }], [{ consent: 'missing.js' }], [null], ['x']])(
  'the index %j stops the start',
  async (index) => {
    const file = build(index as never, {})
    await expect(TrackerScripts.open(file)).rejects.toMatchObject({ code: 'HOP_CONFIG' })
  },
)

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context, EventsAnswer } from '@hopper/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'
import { GeoDatabase } from '../geo/geo-database.ts'
import { geoFile } from '../geo/geo-file.fixture.ts'

let ingest: IngestServer
let geo: GeoDatabase
let dir: string
let now = Date.UTC(2026, 10, 29, 12)
let devices = 0
const address = '203.0.113.9'

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hopper-sources-'))
  const file = join(dir, 'geo.mmdb')
  await writeFile(
    file,
    geoFile({
      '203.0.113.0/24': { country: { iso_code: 'DE' }, subdivisions: [{ iso_code: 'BY' }] },
      '198.51.100.0/24': { country: { iso_code: 'NP' } },
    }),
  )
  geo = await GeoDatabase.open(file, { info: () => undefined, error: () => undefined })
  ingest = await openIngest({ geo, clock: () => now }, { trustProxy: true })
})
afterAll(async () => {
  await ingest[Symbol.asyncDispose]()
  await geo[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

interface Sent {
  readonly answer: EventsAnswer
  readonly context: Context
  readonly log: string
}

let seq = 0
const event = (fields: object = {}): object => ({
  type: 1,
  event_id: `e${seq}`,
  seq: seq++,
  timestamp: now,
  target: '//a',
  elapsed_time: 1,
  current_url: 'https://shop.example/',
  session_id: 's',
  ...fields,
})
const view = (from: string, to: string): object => {
  const { target: _, current_url: __, ...rest } = event() as Record<string, unknown>
  return { ...rest, type: 2, from, to }
}

async function send(device_id: string, events: object[], body: object = {}, headers = {}): Promise<Sent> {
  const ends = await ingest.ends()
  const { body: answer } = await ingest.post(JSON.stringify({ device_id, ...body, events }), headers)
  const lanes = await Promise.all(ends.map((end, lane) => ingest.storage.log.read(lane, end, 10)))
  const [message] = lanes.flat()
  const [envelope] = await ingest.envelopes(ends)
  return { answer, context: envelope!.context, log: Buffer.from(message!.value).toString() }
}
const device = (): string => `device-${devices++}`

const source = {
  referrer: 'https://www.google.com/search?q=secret',
  landing_page: 'https://shop.example/sale/?utm_source=ads&token=secret#top',
  utm_source: 'google',
  utm_medium: 'cpc',
  utm_campaign: 'spring',
  click_id: 'gclid',
}
const arrival = {
  channel: 'paid',
  referrer: 'www.google.com/search',
  landing_page: 'shop.example/sale',
  click_id: 'gclid',
  utm: { utm_source: 'google', utm_medium: 'cpc', utm_campaign: 'spring' },
}

describe('what the tracker states of its session', () => {
  it('is in the context of each request, without query and fragment of the addresses', async () => {
    const { answer, context, log } = await send(device(), [event()], { source, language: 'de-at', screen: 'large' })
    expect(answer).toEqual({ accepted: 1, rejected: [] })
    expect(context).toMatchObject({ ...arrival, language: 'de-AT', screen: 'large', numbered: true })
    expect(log).not.toContain('secret')
  })

  it('leaves the body in its raw form, with the source cut out only where it must not be stored', async () => {
    const cut = await send(device(), [event()], { source })
    expect(cut.log).toContain('"type":1,')
    expect(cut.log.slice(cut.log.indexOf('\n'))).not.toContain('"source"')
    const plain = { referrer: 'https://www.google.com/', landing_page: 'https://shop.example/sale' }
    const kept = await send(device(), [event()], { source: plain })
    expect(kept.log).toContain(JSON.stringify({ source: plain }).slice(1, -1))
    const behind = await ingest.post(JSON.stringify({ device_id: device(), events: [event()], source }))
    expect(behind.body).toEqual({ accepted: 1, rejected: [] })
    for (const lane of await Promise.all((await ingest.ends()).map((_, l) => ingest.storage.log.read(l, 0, 1_000))))
      for (const { value } of lane) expect(Buffer.from(value).toString()).not.toContain('secret')
  })

  it('of nothing is direct, and a page of the same site is not a referrer', async () => {
    expect((await send(device(), [event()], { source: {} })).context).toMatchObject({ channel: 'direct' })
    for (const own of ['https://shop.example/a', 'http://www.shop.example/']) {
      const landing_page = 'https://shop.example/b'
      const { context } = await send(device(), [event()], { source: { referrer: own, landing_page } })
      expect(context).toMatchObject({ channel: 'direct', landing_page: 'shop.example/b' })
      expect(context).not.toHaveProperty('referrer')
    }
    const { context } = await send(
      device(),
      [event()],
      { source: { referrer: 'https://shop.example/a' } },
      { origin: 'https://shop.example' },
    )
    expect(context).not.toHaveProperty('referrer')
  })

  it('loses no event when it has no meaning, and is named', async () => {
    const bad = { referrer: 5, landing_page: null, utm_source: 'x'.repeat(300), click_id: 'other', more: 1 }
    const { answer, context } = await send(device(), [event()], { source: bad, language: 'not a tag', screen: 'huge' })
    expect(answer.accepted).toBe(1)
    expect(answer.changed!.map(({ path, reason }) => `${path} ${reason}`).sort()).toEqual([
      'language wrong_type',
      'screen wrong_type',
      'source.click_id wrong_type',
      'source.more unknown_field',
      'source.referrer wrong_type',
      'source.utm_source shortened',
    ])
    expect(context).toMatchObject({ channel: 'campaign', utm: { utm_source: 'x'.repeat(200) } })
    const none = await send(device(), [event()], { source: 'text' })
    expect(none.answer.changed).toEqual([{ index: null, path: 'source', reason: 'wrong_type' }])
    expect(none.context).not.toHaveProperty('channel')
  })
})

describe('a sender that states no source', () => {
  const landing = 'https://shop.example/?utm_source=news&utm_medium=email&fbclid=1'

  it('has it from its first page, and so has the purchase three requests later', async () => {
    const id = device()
    const first = await send(id, [view('https://l.facebook.com/x?y', landing)])
    const found = {
      channel: 'email',
      referrer: 'l.facebook.com/x',
      landing_page: 'shop.example/',
      click_id: 'fbclid',
      utm: { utm_source: 'news', utm_medium: 'email' },
    }
    expect(first.context).toMatchObject(found)
    expect((await send(id, [view('https://shop.example/', 'https://shop.example/a')])).context).toMatchObject(found)
    expect((await send(id, [event()])).context).toMatchObject(found)
    expect((await send(id, [event({ session_id: 'other' })])).context).not.toHaveProperty('channel')
    expect((await send(device(), [event()])).context).not.toHaveProperty('channel')
  })

  it('begins again after a pause when it has no sessions of its own', async () => {
    const id = device()
    const none = { session_id: undefined }
    await send(id, [{ ...view('', landing), ...none }])
    now += 29 * 60_000
    expect((await send(id, [event(none)])).context).toMatchObject({ channel: 'email' })
    now += 30 * 60_000
    expect((await send(id, [event(none)])).context).not.toHaveProperty('channel')
  })

  it('has what its first page stated when it has no sessions of its own, also on later pages', async () => {
    const id = device()
    const none = { session_id: undefined }
    await send(id, [{ ...view('', 'https://shop.example/sale'), ...none }], { source })
    const next = { ...view('', 'https://shop.example/b'), ...none }
    expect((await send(id, [next])).context).toMatchObject(arrival)
    now += 31 * 60_000
    expect((await send(id, [next])).context).toMatchObject({ channel: 'direct', landing_page: 'shop.example/b' })
  })

  it('did not come from the page that it leaves', async () => {
    const { context } = await send(device(), [view('https://any.example/a', '')])
    expect(context).not.toHaveProperty('channel')
    expect(context).not.toHaveProperty('referrer')
  })

  it('is direct when its first page has no page before it, and unknown inside of the site', async () => {
    const direct = await send(device(), [view('', 'https://shop.example/a?b')])
    expect(direct.context).toMatchObject({ channel: 'direct', landing_page: 'shop.example/a' })
    const inside = await send(device(), [view('https://shop.example/', 'https://shop.example/a')])
    expect(inside.context).not.toHaveProperty('channel')
    expect(inside.context).not.toHaveProperty('landing_page')
  })
})

describe('country and region', () => {
  it('are those of the address of the request, by the rule for proxies', async () => {
    const { context, log } = await send(device(), [event()], {}, { 'x-forwarded-for': address })
    expect(context).toMatchObject({ country: 'DE', region: 'DE-BY' })
    expect(log).not.toContain(address)
    expect((await send(device(), [event()])).context).not.toHaveProperty('country')
  })

  it('are not those of a server that sends, but of the visitor that it names', async () => {
    const sent = async (context: object): Promise<Context> => {
      const ends = await ingest.ends()
      await ingest.server.inject({
        method: 'POST',
        url: '/v1/track',
        headers: { authorization: `Bearer ${keys.write}`, 'x-forwarded-for': address },
        payload: { event: 'paid', anonymousId: device(), messageId: device(), context },
      })
      const [envelope] = await ingest.envelopes(ends)
      expect(JSON.stringify(envelope)).not.toContain('198.51.100')
      return envelope!.context
    }
    expect(await sent({})).not.toHaveProperty('country')
    expect(await sent({ ip: '198.51.100.3' })).toMatchObject({ country: 'NP' })
  })
})

it('prefers the country and region that the sender states over those of its address', async () => {
  const known = await send(device(), [event()], { country: 'at', region: 'AT-9' }, { 'x-forwarded-for': address })
  expect(known.context).toMatchObject({ country: 'AT', region: 'AT-9' })
  const odd = await send(device(), [event()], { country: 'Utopia', region: 'x' })
  expect(odd.answer.changed!.map(({ path }) => path)).toEqual(['country', 'region'])
  expect(odd.context).not.toHaveProperty('country')
})

it('marks only events that their sender has numbered', async () => {
  expect((await send(device(), [event(), event()])).context).toHaveProperty('numbered', true)
  expect((await send(device(), [event(), event({ seq: undefined })])).context).not.toHaveProperty('numbered')
})

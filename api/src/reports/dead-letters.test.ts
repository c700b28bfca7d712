import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeEnvelope, type DeadLetterReason, type Envelope } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import type { DeadLetters, ReplayedLetters } from '../answers/dead-letters.ts'
import { keys, NOW, openInstallation, type Installation } from '../testing/installation.fixture.ts'

let hopper: Installation
const url = '/api/v1/dead-letters'
const acme = { authorization: `Bearer ${keys.admin}` }
const other = { authorization: `Bearer ${keys.otherAdmin}` }
const event = { type: 'click', event_id: 'e', timestamp: NOW, seq: 0, target: '//a', elapsed_time: 1, current_url: '/' }
const envelope = (app: string, fields: object = {}): Envelope => ({
  version: 1,
  app,
  device_id: 'd',
  received_at: NOW,
  context: { device: 'desktop', browser: 'Firefox', os: 'Linux' },
  events: [event as never],
  ...fields,
})
const good = (app: string, index: number): Buffer =>
  encodeEnvelope(envelope(app, { events: [{ ...event, event_id: `${app}-${index}` }] }))
const broken = (app: string): Buffer => Buffer.from(JSON.stringify({ ...envelope(app), device_id: 7 }))

/** Buries messages in lane 0, as the aggregator does. */
async function bury(values: readonly Buffer[], reason: DeadLetterReason = 'fold_failed'): Promise<number[]> {
  const places = await hopper.storage.log.appendMessages(values.map((value) => ({ lane: 0, value })))
  const deadLetters = places.map(({ position }, index) => ({
    position,
    reason,
    detail: `d${position}`,
    value: values[index]!,
  }))
  await hopper.fill({ lane: 0, deadLetters })
  return places.map(({ position }) => position)
}

const page = async (query = '', headers = acme): Promise<DeadLetters> =>
  (await hopper.get(`${url}${query}`, headers)).body
const positions = ({ rows }: DeadLetters): number[] => rows.map(({ position }) => position)
const replay = async (body: object, headers: Record<string, string> = acme): Promise<ReplayedLetters> => {
  const { status, body: answer } = await hopper.send('POST', `${url}/replay`, body, headers)
  expect([status, answer]).toMatchObject([200, {}])
  return answer
}

beforeAll(async () => void (hopper = await openInstallation(openEmbedded)))
afterAll(() => hopper.close())

test('an organization sees the letters of its apps, page by page, and none of another or of no known app', async () => {
  const first = await bury([good('shop', 1), broken('blog'), good('shop', 2)])
  const foreign = await bury([good('foreign', 1)])
  const [nobodys] = await bury([Buffer.from([0xff, 0xfe]), good('gone', 1)], 'undecodable')
  const last = await bury([good('shop', 3)])
  const all = await page()
  expect([positions(all), all.next]).toEqual([[...first, ...last], null])
  expect(all.rows[0]).toEqual({
    lane: 0,
    position: first[0],
    reason: 'fold_failed',
    detail: `d${first[0]}`,
    app: 'shop',
    received_at: NOW,
    bytes: good('shop', 1).length,
    text: good('shop', 1).toString(),
  })
  const walked: number[] = []
  for (let next: string | null = '0.0'; next !== null;) {
    const some: DeadLetters = await page(`?limit=1&cursor=${next}`)
    walked.push(...positions(some))
    next = some.next
  }
  expect(walked).toEqual([...first, ...last])
  expect(positions(await page('', other))).toEqual(foreign)
  const request = { lane: 0, positions: [...foreign, nobodys!, 999] }
  const why = 'there is no such dead letter'
  expect(await replay(request)).toEqual({
    replayed: 0,
    left: request.positions.map((position) => ({ lane: 0, position, why })),
  })
  for (const headers of [{ authorization: `Bearer ${keys.read}` }, { authorization: `Bearer ${keys.write}` }])
    expect(await hopper.get(url, headers)).toMatchObject({ status: 403 })
  expect((await hopper.get(url, { ...acme, accept: 'text/csv' })).text).toMatch(/^lane,position,reason/)
})

test('a page of large letters ends early, with at least one', async () => {
  const large = Buffer.from(JSON.stringify({ ...envelope('shop'), padding: 'x'.repeat(700_000) }))
  const [first, second] = await bury([large, large])
  const some = await page(`?cursor=0.${first}`)
  expect([positions(some), some.next]).toEqual([[first], `0.${second}`])
  await hopper.storage.writer.removeDeadLetters(0, [first!, second!])
})

test('a letter is replayed as it is, or corrected by an envelope of the same app, and leaves the list', async () => {
  const [fine, odd, wrong] = await bury([good('shop', 10), broken('shop'), broken('shop')])
  const before = (await hopper.storage.log.ends())[0]!
  expect(await replay({ lane: 0, positions: [fine, fine, odd] })).toEqual({
    replayed: 1,
    left: [{ lane: 0, position: odd, why: 'it still cannot be counted: invalid_envelope' }],
  })
  const corrected = envelope('shop', { device_id: 'd7' })
  const refused = async (value: object, also: number[] = []): Promise<unknown> =>
    hopper.send('POST', `${url}/replay`, { lane: 0, positions: [odd, ...also], value }, acme)
  for (const [value, message] of [
    [{ ...corrected, app: 'blog' }, /value\.app must be shop/],
    [{ ...corrected, app: 'foreign' }, /value\.app must be shop/],
    [{ version: 2 }, /value is not an envelope/],
  ] as const)
    expect(await refused(value)).toMatchObject({
      status: 400,
      body: { error: { code: 'HOP_PARAM_INVALID', message: expect.stringMatching(message) as string } },
    })
  expect(await refused(corrected, [wrong!])).toMatchObject({ status: 400 })
  expect(await replay({ lane: 0, positions: [odd], value: { ...corrected, events: [{ type: 'click' }] } })).toEqual({
    replayed: 0,
    left: [{ lane: 0, position: odd, why: 'it cannot be counted: invalid_envelope: its event 0 is not valid' }],
  })
  expect(await replay({ lane: 0, positions: [odd], value: corrected })).toEqual({ replayed: 1, left: [] })
  expect(positions(await page())).toContain(wrong)
  expect(positions(await page())).not.toContain(odd)
  expect(await hopper.storage.writer.replayed!(0)).toEqual([fine, odd])
  const lanes = await Promise.all([0, 1].map((lane) => hopper.storage.log.read(lane, lane === 0 ? before : 0, 100)))
  const texts = lanes.flat().map(({ value }) => Buffer.from(value).toString())
  expect(texts.sort()).toEqual([good('shop', 10).toString(), JSON.stringify(corrected)].sort())
  expect(await hopper.storage.registry.imports.list('')).toEqual([])
})

test('two calls at the same time append a letter once', async () => {
  const [letter] = await bury([good('shop', 20)])
  const answers = await Promise.all([1, 2, 3].map(() => replay({ lane: 0, positions: [letter] })))
  expect(answers.map(({ replayed }) => replayed)).toEqual([1, 0, 0])
})

test('where there is one organization only, it sees every letter', async () => {
  const { registry } = hopper.storage
  const record = (await registry.organizations.get('', 'other'))!
  const before = positions(await page())
  await registry.organizations.remove('', 'other')
  const all = await page()
  expect(all.rows.map(({ app }) => app)).toContain('gone')
  expect(all.rows.find(({ base64 }) => base64 !== undefined)).toMatchObject({ app: null, base64: '//4=' })
  expect(positions(all).length).toBeGreaterThan(before.length)
  await registry.organizations.put('', 'other', record)
})

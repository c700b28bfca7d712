import type { ElementsAnswer, Event, Hesitation, HesitationAnswer } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CountedLog, ownEvent } from '../testing/counted-log.ts'
import { keys, NOW, openInstallation, type Installation } from '../testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const ELEMENT = "//*[@id='add']"
/** so long ago that nobody is deciding any more */
const T0 = Date.UTC(2026, 2, 10, 9)
const range = { from: '2026-03-09', to: '2026-03-11' }
let hopper: Installation
let number = 0

const entered = (stage: number, at: number): Event =>
  ownEvent(`e${number++}`, at, { type: 'funnel_change', action: 'onClick', funnel: 'checkout', entered: stage })
const hovered = (elapsed_time: number, clicked: boolean, at = T0 + 1, more: object = {}): Event =>
  ownEvent(`e${number++}`, at, {
    type: 'btn_time',
    target: ELEMENT,
    action: clicked ? 'hover-then-clicked' : 'hover-then-leave',
    elapsed_time,
    ...more,
  })

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  await new CountedLog(hopper.storage).add(
    'shop',
    [
      ['on', [entered(1, T0), hovered(1_000, true), hovered(3_000, true), entered(2, T0 + 2)]],
      [
        'lost',
        [entered(1, T0), hovered(500, false), hovered(700, false), hovered(90, true, T0 + 1, { pointer: 'touch' })],
      ],
      ['aside', [hovered(2_000, true), hovered(50, false, T0 + 1, { target: '//b' })]],
      ['later', [hovered(9_000, true, NOW)]],
    ].map(([device, events]) => ({ device: device as string, received_at: T0, events: events as Event[] })),
  )
})
afterAll(() => hopper.close())

async function ask(body: object): Promise<HesitationAnswer> {
  const { status, body: answer } = await hopper.send(
    'POST',
    '/api/v1/apps/shop/hesitation/query',
    { ...range, ...body },
    { authorization: `Bearer ${keys.read}` },
  )
  expect([status, answer]).toMatchObject([200, {}])
  return answer
}
const short = ({ people, hovers, clicked, median_click_ms, median_leave_ms }: Hesitation): unknown[] => [
  people,
  hovers,
  clicked,
  median_click_ms,
  median_leave_ms,
]

test('reports how long people hover before they click or leave, by mouse unless asked otherwise', async () => {
  const { histogram, clicked_share: share, meta, ...answer } = await ask({ element: ELEMENT })
  expect(short({ ...answer, histogram, clicked_share: share })).toEqual([3, 5, 3, 2_000, 600])
  expect(share).toBeCloseTo(3 / 5)
  expect(answer.correlation).toBeGreaterThan(0)
  expect(histogram.reduce((sum, { leave, click }) => sum + leave + click, 0)).toBe(5)
  expect(meta).toMatchObject(range)
  expect(short(await ask({ element: ELEMENT, pointer: 'touch' }))).toEqual([1, 1, 1, 90, null])
  expect(short(await ask({ element: ELEMENT, pointer: 'pen' }))).toEqual([0, 0, 0, null, null])
  expect(short(await ask({}))).toEqual([3, 6, 3, 2_000, 500])
})

test('compares people who went on in a funnel with people who were lost', async () => {
  const { went_on: wentOn, lost, ...all } = await ask({ element: ELEMENT, funnel: 'checkout', step: 2 })
  expect([short(wentOn!), short(lost!), all.people]).toEqual([[1, 2, 2, 2_000, null], [1, 2, 0, null, 600], 3])
  const whole = await ask({ element: ELEMENT, funnel: 'checkout' })
  expect([whole.went_on!.people, whole.lost!.people]).toEqual([0, 2])
  const device = [{ type: 'eq', key: 'device_id', value: 'on' }]
  const filtered = await ask({ element: ELEMENT, funnel: 'checkout', step: 2, filters: device, count_by: 'device' })
  expect([filtered.people, filtered.went_on!.people, filtered.lost!.people]).toEqual([1, 1, 0])
})

test('an element that nobody hovered over has no times, and bad questions are refused by field', async () => {
  expect(await ask({ element: '//nothing' })).toMatchObject({ people: 0, clicked_share: null, histogram: [] })
  const refused = async (body: object): Promise<unknown> =>
    (await hopper.send('POST', '/api/v1/apps/shop/hesitation/query', { ...range, ...body }, { 'x-api-key': keys.read }))
      .body
  expect(await refused({ step: 2 })).toMatchObject({ error: { code: 'HOP_PARAM_INVALID' } })
  expect(await refused({ funnel: 'checkout', step: 9 })).toMatchObject({ error: { code: 'HOP_PARAM_INVALID' } })
  expect(await refused({ funnel: 'none' })).toMatchObject({ error: { code: 'HOP_FUNNEL_UNKNOWN' } })
  expect(await refused({ pointer: 'foot' })).toMatchObject({ error: { code: 'HOP_PARAM_INVALID' } })
})

test('reports the same for all elements in one answer, with taps and those who completed the funnel', async () => {
  const send = (body: object, headers: object = {}): ReturnType<Installation['send']> =>
    hopper.send(
      'POST',
      '/api/v1/apps/shop/elements/query',
      { ...range, ...body },
      { 'x-api-key': keys.read, ...headers },
    )
  const { body: all } = await send({ trend: 'day' })
  expect(all).toMatchObject({
    rows: [
      { xpath: ELEMENT, people: 3, hovers: 5, clicked: 3, median_click_ms: 2_000, median_leave_ms: 600, taps: 1 },
      { xpath: '//b', people: 1, hovers: 1, clicked: 0, median_click_ms: null, median_leave_ms: 50, taps: 0 },
    ],
    // midnights of Berlin
    times: [8, 9, 10].map((day) => Date.UTC(2026, 2, day, 23)),
  })
  expect((all as ElementsAnswer).rows[0]!.trend).toEqual({ hovers: [0, 5, 0], clicked: [0, 3, 0] })
  const { body: compared } = await send({ funnel: 'checkout' })
  const [first] = (compared as ElementsAnswer).rows
  const alone = await ask({ element: ELEMENT, funnel: 'checkout' })
  expect([first!.went_on!.people, first!.lost!.hovers]).toEqual([alone.went_on!.people, alone.lost!.hovers])
  const { text } = await send({ funnel: 'checkout' }, { accept: 'text/csv' })
  expect(text).toMatch(
    /^xpath,people,hovers,clicked,clicked_share,median_click_ms,median_leave_ms,taps,tapped_by,went_on/,
  )
  expect(await send({ funnel: 'none' })).toMatchObject({ status: 404, body: { error: { code: 'HOP_FUNNEL_UNKNOWN' } } })
})

test('is a table of durations as CSV', async () => {
  const { text } = await hopper.send(
    'POST',
    '/api/v1/apps/shop/hesitation/query',
    { ...range, element: ELEMENT, funnel: 'checkout', step: 2 },
    { 'x-api-key': keys.read, accept: 'text/csv' },
  )
  expect(text).toMatch(/^people,from_ms,to_ms,leave,click\r\nall,/)
  expect(text).toContain('\r\nwent_on,')
})

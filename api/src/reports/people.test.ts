import type { Context, Event, JourneyPeopleAnswer, PeopleAnswer } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { eventAt, range, steps, timeAt, viewed } from '../testing/cart-visits.fixture.ts'
import { CountedLog } from '../testing/counted-log.ts'
import { openInstallation, type Installation } from '../testing/installation.fixture.ts'
import { queryCalls } from '../testing/query-calls.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let hopper: Installation

const identified = (user: string, minute: number, data?: Record<string, string>): Event =>
  eventAt(minute, { type: 'identify', user_id: user, ...(data ? { data } : {}) })

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  const visits: readonly (readonly [device: string, context: Partial<Context>, events: readonly Event[]])[] = [
    ['bought', { device: 'desktop', country: 'AT', channel: 'search' }, [viewed('/cart', 0), viewed('/paid', 2)]],
    ['left', { device: 'mobile', channel: 'email' }, [viewed('/', 4), viewed('/cart', 5), viewed('/products/7', 6)]],
    ['phone', { device: 'mobile', country: 'DE' }, [identified('ann', 6), viewed('/cart', 7)]],
    ['laptop', { device: 'desktop', country: 'DE' }, [identified('ann', 8, { name: 'Ann', email: 'a@b.c' })]],
    ['=1+1', { device: 'tablet' }, [viewed('/cart', 9)]],
  ]
  await new CountedLog(hopper.storage).add(
    'shop',
    visits.map(([device, context, events]) => ({
      device,
      context,
      received_at: timeAt(0),
      events,
      user: ['phone', 'laptop'].includes(device) ? 'ann' : '',
    })),
  )
})
afterAll(() => hopper.close())

const { send, ask } = queryCalls<PeopleAnswer>(() => hopper, 'people/query', { ...range, steps })

test('lists exactly the people who were lost, latest start first, with facts from their events', async () => {
  const { total, people, next, meta } = await ask({ step: 2, outcome: 'dropped' })
  expect([total, next]).toEqual([3, undefined])
  expect(people).toEqual([
    {
      id: 'd:=1+1',
      device: 'tablet',
      source: null,
      country: null,
      entered_at: timeAt(9),
      last_at: timeAt(9),
      last_page: 'shop.example/cart',
      steps: 1,
      cause: 'never',
    },
    {
      id: 'u:ann',
      name: 'Ann',
      device: 'mobile',
      source: null,
      country: 'DE',
      entered_at: timeAt(7),
      last_at: timeAt(8),
      last_page: 'shop.example/cart',
      steps: 1,
      cause: 'never',
    },
    {
      id: 'd:left',
      device: 'mobile',
      source: 'email',
      country: null,
      entered_at: timeAt(5),
      last_at: timeAt(6),
      last_page: 'shop.example/products/7',
      steps: 1,
      cause: 'never',
      next: 'shop.example/products/7',
    },
  ])
  expect(meta).toMatchObject(range)
})

test('pages list every person exactly once', async () => {
  const whole = await ask({ step: 1, outcome: 'reached' })
  const ids: string[] = []
  for (let cursor: string | undefined; ids.length < 10;) {
    const page = await ask({ step: 1, outcome: 'reached', limit: 1, ...(cursor === undefined ? {} : { cursor }) })
    expect([page.total, page.people.length]).toEqual([4, 1])
    ids.push(page.people[0]!.id)
    cursor = page.next
    if (cursor === undefined) break
  }
  expect(ids).toEqual(whole.people.map(({ id }) => id))
  expect(new Set(ids).size).toBe(4)
})

test('lists the people of one value of a breakdown, and devices or sessions instead of people', async () => {
  const ids = async (body: object): Promise<string[]> =>
    (await ask({ step: 1, outcome: 'reached', ...body })).people.map(({ id }) => id)
  expect(await ids({ breakdown: 'device', value: 'mobile' })).toEqual(['u:ann', 'd:left'])
  expect(await ids({ breakdown: 'country', value: null })).toEqual(['d:=1+1', 'd:left'])
  expect(await ids({ count_by: 'device' })).toEqual(['=1+1', 'phone', 'left', 'bought'])
  expect(await ids({ count_by: 'session' })).toEqual(
    [9, 6, 4, 0].map((minute, index) => `${['=1+1', 'phone', 'left', 'bought'][index]!}/@${timeAt(minute)}`),
  )
})

test('lists as many people at a node or link of journeys as it counts, with the facts of their visits', async () => {
  const journeys = queryCalls<JourneyPeopleAnswer>(() => hopper, 'journeys/people', range)
  const { total, people } = await journeys.ask({
    link: { from: '1:shop.example/cart', to: '2:shop.example/products/7' },
  })
  expect([total, people]).toEqual([
    1,
    [
      {
        id: 'd:left',
        device: 'mobile',
        source: 'email',
        country: null,
        entered_at: timeAt(5),
        last_at: timeAt(6),
        last_page: 'shop.example/products/7',
      },
    ],
  ])
  const ids = async (body: object): Promise<string[]> => (await journeys.ask(body)).people.map(({ id }) => id)
  expect(await ids({ node: '0:/cart', groups: ['/cart'] })).toEqual(['d:=1+1', 'u:ann', 'd:bought'])
  expect(await ids({ node: '1/exit' })).toEqual(['d:=1+1', 'u:ann'])
  expect(
    await ids({ end: 'https://shop.example/paid', depth: 3, link: { from: '0/entry', to: '1:shop.example/cart' } }),
  ).toEqual(['d:bought'])
  expect((await journeys.ask({ node: '1/exit' })).people[1]).toMatchObject({ name: 'Ann', country: 'DE' })
  const first = await journeys.ask({ node: '1/exit', limit: 1 })
  expect([first.total, first.people.map(({ id }) => id)]).toEqual([2, ['d:=1+1']])
  expect(await ids({ node: '1/exit', limit: 1, cursor: first.next })).toEqual(['u:ann'])
  const csv = await journeys.send({ node: '1/exit' }, { accept: 'text/csv' })
  expect(csv.text.split('\r\n')[0]).toBe('id,name,device,source,country,entered_at,last_at,last_page')
  for (const [body, field] of [
    [{}, 'node'],
    [{ node: '1/other' }, 'node'],
    [{ node: '1/exit', link: { from: '0:a', to: '1:b' } }, 'node'],
    [{ node: '1/exit', start: 'shop.example/nowhere' }, 'start'],
    [{ node: '1/exit', key: 'name', groups: ['/a'] }, 'groups'],
    [{ node: '1/exit', limit: 1_001 }, 'limit'],
    [{ node: '1/exit', step: 1 }, 'step'],
  ] as const) {
    const { status, body: answer } = await journeys.send(body)
    expect([status, answer]).toMatchObject([400, { error: { code: 'HOP_PARAM_INVALID' } }])
    expect(JSON.stringify(answer)).toContain(field)
  }
})

test('refuses questions that it cannot answer, by field', async () => {
  for (const [body, field] of [
    [{ step: 3, outcome: 'dropped' }, 'step'],
    [{ step: 1, outcome: 'dropped' }, 'step'],
    [{ step: 2, outcome: 'gone' }, 'outcome'],
    [{ step: 2, outcome: 'dropped', value: 'mobile' }, 'value'],
    [{ step: 2, outcome: 'dropped', limit: 1_001 }, 'limit'],
    [{ step: 2, outcome: 'dropped', cursor: 'bm8' }, 'cursor'],
  ] as const) {
    const { status, body: answer } = await send(body)
    expect([status, JSON.stringify(answer)]).toEqual([400, expect.stringContaining(`"field":"${field}`)])
  }
})

test('is a table as CSV, in which nothing is a formula', async () => {
  const { text } = await send({ step: 2, outcome: 'dropped', count_by: 'device' }, { accept: 'text/csv' })
  expect(text).toMatch(
    /^id,name,device,source,country,entered_at,last_at,last_page,steps,cause,next\r\n'=1\+1,,tablet,/,
  )
})

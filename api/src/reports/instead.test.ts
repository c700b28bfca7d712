import type { Event, InsteadAnswer } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { eventAt, range, steps, timeAt, viewed } from '../testing/cart-visits.fixture.ts'
import { CountedLog } from '../testing/counted-log.ts'
import { openInstallation, type Installation } from '../testing/installation.fixture.ts'
import { queryCalls } from '../testing/query-calls.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let hopper: Installation

const clicked = (target: string, minute: number): Event =>
  eventAt(minute, {
    type: 'click',
    target,
    current_url: 'https://shop.example/cart',
    elapsed_time: 0,
  })

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  const visits: readonly (readonly [string, readonly Event[]])[] = [
    ['bought', [viewed('/cart', 0), clicked('//pay', 1), viewed('/paid', 2), viewed('/', 3)]],
    ['looked', [viewed('/cart', 0), viewed('/cart', 5), viewed('/products/7', 6)]],
    ['also looked', [viewed('/cart', 0), clicked('//back', 1), viewed('/products/8', 2)]],
    ['left', [viewed('/cart', 0), viewed('/products/7', 30), clicked('//late', 31)]],
    ['stayed', [viewed('/cart', 0), viewed('/cart', 20), viewed('/help', 40)]],
  ]
  await new CountedLog(hopper.storage).add(
    'shop',
    visits.map(([device, events]) => ({ device, received_at: timeAt(0), events: [...events] })),
  )
})
afterAll(() => hopper.close())

const { send, ask } = queryCalls<InsteadAnswer>(() => hopper, 'instead/query', { ...range, steps })

test('reports the next page and the next click of exactly those who were lost', async () => {
  const { meta, ...answer } = await ask({ step: 2, outcome: 'dropped' })
  expect(answer).toEqual({
    people: 4,
    pages: [
      { value: 'shop.example/help', users: 1 },
      { value: 'shop.example/products/7', users: 1 },
      { value: 'shop.example/products/8', users: 1 },
    ],
    left: 1,
    clicks: [{ value: '//back', users: 1 }],
    no_click: 3,
  })
  expect(meta).toMatchObject(range)
})

test('counts pages of a group as one place, and follows those who reached a step', async () => {
  const grouped = await ask({ step: 2, outcome: 'dropped', groups: ['/products/*'] })
  expect(grouped.pages).toEqual([
    { value: '/products/*', users: 2 },
    { value: 'shop.example/help', users: 1 },
  ])
  expect(await ask({ step: 2, outcome: 'reached' })).toMatchObject({
    people: 1,
    pages: [{ value: 'shop.example/', users: 1 }],
    left: 0,
    no_click: 1,
  })
  expect(await ask({ step: 2, outcome: 'late' })).toMatchObject({ people: 0, pages: [], left: 0 })
})

test('refuses questions that it cannot answer, by field', async () => {
  for (const [body, field] of [
    [{ step: 3, outcome: 'dropped' }, 'step'],
    [{ step: 1, outcome: 'dropped' }, 'step'],
    [{ step: 2, outcome: 'gone' }, 'outcome'],
    [{ step: 2, outcome: 'dropped', groups: ['shop.example/*'] }, 'groups[0]'],
    [{ outcome: 'dropped' }, 'step'],
  ] as const) {
    const { status, body: answer } = await send(body)
    expect([status, JSON.stringify(answer)]).toEqual([400, expect.stringContaining(`"field":"${field}`)])
  }
})

test('is a table of places as CSV', async () => {
  const { text } = await send({ step: 2, outcome: 'dropped' }, { accept: 'text/csv' })
  expect(text).toMatch(/^next,value,users,other\r\npage,shop\.example\/help,1,\r\n/)
  expect(text).toContain('\r\nleft,,1,\r\n')
})

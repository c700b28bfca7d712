import {
  bucketBounds,
  countingTables,
  durationBucket,
  pageOf,
  StageMatcher,
  timeZone,
  type App,
  type Event,
} from '@hopper/contracts'
import { counterTableNames, visitorTableNames, type Key } from '@hopper/storage'
import { describe, expect, it } from 'vitest'
import type { CountedEvent } from '../fold/counted-event.ts'
import { foldBatch } from '../fold/fold-batch.ts'
import { judge, NO_PAST } from '../judge/judge.ts'
import { envelopeOf } from '../testing/lane.fixture.ts'
import { counterFolds, visitorFolds } from './all.ts'

const base = { event_id: 'e', timestamp: Date.parse('2026-06-15T12:34:00Z'), seq: 0 }
const click: Event = {
  ...base,
  type: 'click',
  target: '//a',
  elapsed_time: 70,
  current_url: 'https://s.example/p/?q=1',
}
const change = (from: string, to: string): Event => ({ ...base, type: 'url_change', from, to, elapsed_time: 900 })
const hover = (action: 'hover-then-leave' | 'hover-then-clicked', pointer?: 'mouse' | 'touch' | 'pen'): Event => ({
  ...base,
  type: 'btn_time',
  target: '//b',
  action,
  elapsed_time: 420,
  ...(pointer && { pointer }),
})
const stage: Event = {
  ...base,
  type: 'funnel_change',
  action: 'onClick',
  funnel: 'f',
  entered: 3,
  from: 2,
  elapsed_time: 5_000,
}
const entry: Event = { ...base, type: 'funnel_change', action: 'onUrlChange', funnel: 'f', entered: 1, elapsed_time: 0 }
const identify: Event = { ...base, type: 'identify', user_id: 'ann' }
const custom: Event = { ...base, type: 'custom', name: 'n' }

const countedOf = (event: Event, device: 'desktop' | 'mobile' | 'tablet' = 'desktop'): CountedEvent => ({
  event,
  hour: 12,
  visitor: { user: '', device: 'd' },
  page: (url) => pageOf(url),
  context: { device, browser: '', os: 'iOS', country: 'NP' },
})

/** Returns the rows that one event adds to a counter table. */
function rowsAdded(table: string, event: Event, device?: 'desktop' | 'mobile' | 'tablet'): [Key, readonly number[]][] {
  const rows: [Key, readonly number[]][] = []
  counterFolds
    .find((each) => each.table === table)!
    .fold(countedOf(event, device), (key, deltas) => rows.push([key, deltas]))
  return rows
}

function rowsPut(table: string, event: Event): Key[] {
  const rows: Key[] = []
  visitorFolds.find((each) => each.table === table)!.fold(countedOf(event, 'mobile'), (key) => rows.push(key))
  return rows
}

it('lists a fold for every table except the fates, which all events have', () => {
  expect(new Set(counterFolds.map(({ table }) => table))).toEqual(
    new Set(counterTableNames.filter((name) => name !== 'fates_by_date')),
  )
  expect(new Set(visitorFolds.map(({ table }) => table))).toEqual(new Set(visitorTableNames))
})

describe.each([
  [
    'clicks_by_date',
    click,
    [
      [
        ['s.example/p', '//a'],
        [1, 70],
      ],
    ],
  ],
  [
    'page_views_by_date',
    change('/a', '/b?x#y'),
    [
      [['/b'], [1, 0, 0]],
      [['/a'], [0, 900, 1]],
    ],
  ],
  ['page_views_by_date', change('', '/b'), [[['/b'], [1, 0, 0]]]],
  ['page_views_by_date', change('/a', ''), [[['/a'], [0, 900, 1]]]],
  ['page_views_by_date', change('/a?x=1', '/a/#y'), [[['/a'], [0, 900, 0]]]],
  ['page_views_by_date', { ...change('/a', '/a'), elapsed_time: 0 }, []],
  [
    'page_views_by_date',
    { ...change('https://search.example/?q=1', 'https://s.example/b'), elapsed_time: 0 },
    [[['s.example/b'], [1, 0, 0]]],
  ],
  [
    'page_views_by_date',
    { ...change('https://s.example/a', 'https://s.example/b'), elapsed_time: 0 },
    [
      [['s.example/b'], [1, 0, 0]],
      [['s.example/a'], [0, 0, 1]],
    ],
  ],
  [
    'page_views_by_date',
    { ...change('/a', '/b'), samplerate: 10 },
    [
      [['/b'], [10, 0, 0]],
      [['/a'], [0, 9_000, 10]],
    ],
  ],
  [
    'clicks_by_date',
    { ...click, samplerate: 5 },
    [
      [
        ['s.example/p', '//a'],
        [5, 350],
      ],
    ],
  ],
  [
    'clicks_by_date',
    { ...click, samplerate: 1_000_000, elapsed_time: 31_622_400_000 },
    [
      [
        ['s.example/p', '//a'],
        [1_000_000, 1_000_000_000_000],
      ],
    ],
  ],
  ['activity_by_date', change('/a?x=1', '/a/'), [[[12], [1, 0]]]],
  ['activity_by_date', { ...change('', '/b'), samplerate: 10 }, [[[12], [10, 10]]]],
  ['activity_by_date', { ...custom, samplerate: 5 }, [[[12], [5, 0]]]],
  ['element_actions_by_date', { ...hover('hover-then-leave'), samplerate: 2 }, [[['//b'], [2, 840, 0, 0, 2]]]],
  ['element_actions_by_date', hover('hover-then-leave', 'mouse'), [[['//b'], [1, 420, 0, 0, 1]]]],
  ['element_actions_by_date', hover('hover-then-clicked', 'touch'), []],
  ['element_actions_by_date', hover('hover-then-leave', 'pen'), []],
  ['element_durations_by_date', hover('hover-then-clicked', 'touch'), []],
  [
    'element_durations_by_date',
    { ...hover('hover-then-leave'), samplerate: 3 },
    [[['//b', 'hover-then-leave', durationBucket(420)], [3]]],
  ],
  [
    'stage_time_by_date',
    { ...stage, samplerate: 4 },
    [
      [
        ['f', 2],
        [20_000, 4],
      ],
    ],
  ],
  ['activity_by_date', change('', '/b'), [[[12], [1, 1]]]],
  ['activity_by_date', change('/a', ''), [[[12], [1, 0]]]],
  ['activity_by_date', custom, [[[12], [1, 0]]]],
  ['element_actions_by_date', hover('hover-then-leave'), [[['//b'], [1, 420, 0, 0, 1]]]],
  ['element_actions_by_date', hover('hover-then-clicked'), [[['//b'], [0, 0, 1, 420, 1]]]],
  ['element_durations_by_date', hover('hover-then-leave'), [[['//b', 'hover-then-leave', durationBucket(420)], [1]]]],
  [
    'stage_time_by_date',
    stage,
    [
      [
        ['f', 2],
        [5_000, 1],
      ],
    ],
  ],
  ['stage_time_by_date', entry, []],
] as const)('%s', (table, event, rows) => {
  it(`adds ${JSON.stringify(rows)} for ${event.type}`, () => expect(rowsAdded(table, event as Event)).toEqual(rows))
})

it.each([
  [undefined, 'desktop', 1],
  [undefined, 'mobile', 0],
  [undefined, 'tablet', 0],
  ['mouse', 'mobile', 1],
  ['touch', 'desktop', 0],
] as const)('counts a hover by pointer %s on a %s %i times', (pointer, device, times) => {
  for (const table of ['element_actions_by_date', 'element_durations_by_date']) {
    expect(rowsAdded(table, hover('hover-then-clicked', pointer), device)).toHaveLength(times)
  }
})

describe.each([
  ['stage_users_by_date', stage, [['f', 3]]],
  ['stage_edges_by_date', stage, [['f', 2, 3]]],
  ['stage_edges_by_date', entry, [['f', -1, 1]]],
  ['users_by_date', identify, [[-1], [12]]],
  [
    'agents_by_date',
    custom,
    [
      ['device', 'mobile'],
      ['os', 'iOS'],
      ['country', 'NP'],
    ],
  ],
] as const)('%s', (table, event, rows) => {
  it(`holds the visitor in ${JSON.stringify(rows)} for ${event.type}`, () =>
    expect(rowsPut(table, event as Event)).toEqual(rows))
})

it('feeds a table only from its kind of event', () => {
  const feeds = (
    events: readonly Event[],
    tables: readonly string[],
    fed: (table: string, event: Event) => unknown[],
  ): [string, string[]][] =>
    tables.map((table) => [table, events.filter((event) => fed(table, event).length > 0).map(({ type }) => type)])
  const kinds = [click, change('/a', '/b'), hover('hover-then-leave'), stage, identify, custom]
  const all = kinds.map(({ type }) => type)
  expect(
    Object.fromEntries([
      ...feeds(
        kinds,
        counterFolds.map(({ table }) => table),
        rowsAdded,
      ),
      ...feeds(kinds, visitorTableNames, rowsPut),
    ]),
  ).toEqual({
    clicks_by_date: ['click'],
    page_views_by_date: ['url_change'],
    element_actions_by_date: ['btn_time'],
    element_durations_by_date: ['btn_time'],
    stage_time_by_date: ['funnel_change'],
    stage_users_by_date: ['funnel_change'],
    stage_edges_by_date: ['funnel_change'],
    activity_by_date: all,
    users_by_date: all,
    agents_by_date: all,
  })
})

it('adds to the tables that countingTables names, and to no other', () => {
  const funnel = {
    id: 'f',
    stages: [
      { id: 1, name: 'b', url: '/b' },
      { id: 2, name: 'a', click: '#buy' },
    ],
  }
  const app: App = { id: 'a', organization: 'o', name: 'a', timezone: 'UTC', origins: [], keep_parameters: [] }
  const stages = new StageMatcher([funnel], app)
  const pages = ['', '/a', '/a?x=1', '/b', 'https://s.example/a', 'https://s.example/b', 'https://t.example/']
  const moves = pages.flatMap((from) => pages.map((to) => ({ ...change(from, to) })))
  const still = moves.map((move): Event => ({ ...move, elapsed_time: 0 }) as Event)
  const pointers = [undefined, 'mouse', 'touch', 'pen'] as const
  const hovers = pointers.map((pointer) => hover('hover-then-leave', pointer))
  const bought: Event = { ...click, target: "//*[@id='buy']" }
  const events = [...moves, ...still, ...hovers, click, bought, stage, entry, identify, custom]
  const senders = [
    { device: 'desktop', browser: '', os: '' },
    { device: 'mobile', browser: 'Firefox', os: 'Android', country: 'NP' },
  ] as const
  const named = new Set<string>()
  for (const context of senders) {
    for (const event of events) {
      const messages = [
        { position: 0, app: { ...app, stages }, envelope: envelopeOf('a', { context, events: [event] }) },
      ]
      const folded = foldBatch(messages, judge(messages, { firstPositions: new Map(), identities: new Map() }))
      const tables = [...folded.counters, ...folded.visitors].filter(({ rows }) => rows.length > 0)
      const expected = [...new Set(tables.map(({ table }) => table))].filter((table) => table !== 'fates_by_date')
      const found = countingTables(event, { context, page: (url) => pageOf(url), stages })
      expect([event, found]).toEqual([event, expected.sort()])
      for (const table of found) named.add(table)
    }
  }
  expect([...named].sort()).toEqual(
    [...counterTableNames, ...visitorTableNames].filter((table) => table !== 'fates_by_date').sort(),
  )
})

it('puts 420 ms between the bounds of its bucket', () => {
  const { from_ms, to_ms } = bucketBounds(
    Number(rowsAdded('element_durations_by_date', hover('hover-then-leave'))[0]![0][2]),
  )
  expect([from_ms <= 420, 420 < to_ms]).toEqual([true, true])
})

describe('dates and hours', () => {
  const hoursOf = (timezone: string, ...instants: string[]): string[] => {
    const app: App = { id: 'a', organization: 'o', name: 'a', timezone, origins: [], keep_parameters: [] }
    const events = instants.map((instant, index): Event => ({
      ...custom,
      event_id: `e${index}`,
      timestamp: Date.parse(instant),
    }))
    const messages = [{ position: 0, app, envelope: envelopeOf('a', { events }) }]
    const judgement = judge(messages, NO_PAST)
    return foldBatch(messages, judgement)
      .counters.filter(({ table }) => table === 'activity_by_date')
      .flatMap(({ date, rows }) => rows.map(({ key, deltas }) => `${date} ${key[0]}: ${deltas[0]}`))
  }

  it('skips an hour of the clock, not of the date, when Berlin enters summer time', () => {
    expect(
      hoursOf(
        'Europe/Berlin',
        '2026-03-28T22:59:59.999Z',
        '2026-03-28T23:00:00Z',
        '2026-03-29T00:59:00Z',
        '2026-03-29T01:00:00Z',
        '2026-03-29T21:59:00Z',
        '2026-03-29T22:00:00Z',
      ),
    ).toEqual([
      '2026-03-28 23: 1',
      '2026-03-29 0: 1',
      '2026-03-29 1: 1',
      '2026-03-29 2: 1',
      '2026-03-29 22: 1',
      '2026-03-30 0: 1',
    ])
  })
  it('keeps both hours from two to three apart when Berlin leaves summer time', () => {
    expect(
      hoursOf(
        'Europe/Berlin',
        '2026-10-24T22:00:00Z',
        '2026-10-25T00:30:00Z',
        '2026-10-25T01:30:00Z',
        '2026-10-25T22:59:00Z',
        '2026-10-25T23:00:00Z',
      ),
    ).toEqual(['2026-10-25 0: 1', '2026-10-25 2: 1', '2026-10-25 3: 1', '2026-10-25 24: 1', '2026-10-26 0: 1'])
    expect(timeZone('Europe/Berlin').hourOf(Date.parse('2026-10-25T22:59:00Z'))).toBe(24)
  })
  it('begins a date in Kathmandu at 18:15 UTC', () => {
    expect(
      hoursOf(
        'Asia/Kathmandu',
        '2026-06-14T18:14:59.999Z',
        '2026-06-14T18:15:00Z',
        '2026-06-14T19:14:00Z',
        '2026-06-14T19:15:00Z',
      ),
    ).toEqual(['2026-06-14 23: 1', '2026-06-15 0: 2', '2026-06-15 1: 1'])
  })
})

it('keeps rows apart whose strings would be equal when joined', () => {
  const app: App = { id: 'a', organization: 'o', name: 'a', timezone: 'UTC', origins: [], keep_parameters: [] }
  const messageOf = (
    position: number,
    device_id: string,
    user_id: string,
    current_url: string,
    target: string,
  ): { position: number; app: App; envelope: ReturnType<typeof envelopeOf> } => ({
    position,
    app,
    envelope: envelopeOf('a', {
      device_id,
      events: [{ ...click, event_id: `e${position}`, user_id, current_url, target }],
    }),
  })
  // An address that no parser accepts is stored unchanged, whatever it contains.
  const messages = [messageOf(0, 'd', 'u\0x', 'http://[', 'b\0c'), messageOf(1, 'x\0d', 'u', 'http://[\0b', 'c')]
  const { counters, visitors } = foldBatch(messages, judge(messages, NO_PAST))
  expect(counters.find(({ table }) => table === 'clicks_by_date')!.rows).toHaveLength(2)
  expect(visitors.find(({ table }) => table === 'users_by_date')!.rows).toHaveLength(4)
})

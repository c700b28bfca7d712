import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { backfillId, stageNumber, stagesDefinition, type Envelope, type Event, type Funnel } from '@hopper/contracts'
import { withOverrides, type Storage, type TableWriter } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import type { AggregatorOptions } from '../aggregator-options.ts'
import { Aggregator } from '../aggregator.ts'
import { envelopeOf, openLane, until, type LaneStore } from '../testing/lane.fixture.ts'
import { overCassandra } from '../testing/over-cassandra.fixture.ts'
import { isMark } from './write-stages.ts'
import { repetitions } from '@hopper/storage/contract/repetitions'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const engines = inject('engines')
const noon = Date.parse('2026-06-15T12:00:00Z')
const DAY_MS = 86_400_000

const funnel: Funnel = {
  id: 'f',
  name: 'F',
  stages: [
    { id: 1, name: 'home', url: '/' },
    { id: 2, name: 'products', url: '/products*' },
    { id: 3, name: 'add', click: '#add' },
    { id: 4, name: 'lamp', url: '/products/lamp' },
    { id: 5, name: 'thanks', url: 'https://s.example/thanks' },
  ],
}
/** Stages of the visited pages and targets, according to the design. */
const pages: Record<string, number | undefined> = {
  'https://s.example/': 1,
  'https://s.example/products?colour=red#top': 2,
  'https://s.example/products/rug/': 2,
  'https://s.example/products/lamp/': 4,
  'https://s.example/thanks': 5,
  'https://s.example/help': undefined,
}
const targets: Record<string, number | undefined> = {
  "//*[@id='add']": 3,
  "//*[@id='add']/span[1]": 3,
  '/html[1]/body[1]/p[1]': undefined,
}

const step = fc.record({
  device: fc.nat(3),
  session: fc.nat(1),
  wait: fc.nat(5_000),
  at: fc.nat(),
  click: fc.boolean(),
})
const known = fc.option(fc.constantFrom('ann', 'bob'), { nil: undefined, freq: 4 })
const visits = fc.array(fc.tuple(step, known), { minLength: 1, maxLength: 25 })
type Visits = typeof visits extends fc.Arbitrary<infer T> ? T : never

/** Events that trackers send on some dates; trackers that know the funnel report the stages that are entered. */
function envelopesOf(app: string, steps: Visits, knowsFunnel: boolean): Envelope[] {
  const places = new Map<string, { stage: number; since: number }>()
  let now = noon
  return steps.map(([{ device, session, wait, at, click }, user_id], n) => {
    now += wait
    const timestamp = now + (device % 2) * DAY_MS
    const session_id = `s${device}-${session}`
    const base = { event_id: `e${n}`, timestamp, seq: 2 * n, session_id, ...(user_id && { user_id }) }
    const names = Object.keys(click ? targets : pages)
    const name = names[at % names.length]!
    const stage = (click ? targets : pages)[name]
    const event = click
      ? { ...base, type: 'click', target: name, elapsed_time: 5, current_url: 'https://s.example/' }
      : { ...base, type: 'url_change', from: '', to: name, elapsed_time: 9 }
    const events = [event]
    const place = places.get(session_id)
    if (stage !== undefined && place?.stage !== stage) {
      places.set(session_id, { stage, since: timestamp })
      const left = place && { from: place.stage }
      const elapsed_time = place ? timestamp - place.since : 0
      const change = { type: 'funnel_change', action: click ? 'onClick' : 'onUrlChange', funnel: 'f', entered: stage }
      if (knowsFunnel)
        events.push({ ...base, event_id: `f${n}`, seq: 2 * n + 1, ...change, ...left, elapsed_time } as never)
    }
    return envelopeOf(app, { device_id: `d${device}`, events: events as Event[], received_at: timestamp })
  })
}

function suite(open: (options: { dir: string; lanes: number }) => Promise<Storage>, runs: number): void {
  let lane: LaneStore
  beforeAll(async () => void (lane = await openLane(open)))
  afterAll(() => lane[Symbol.asyncDispose]())

  const start = async (options: Partial<AggregatorOptions> = {}): Promise<Aggregator> => {
    const aggregator = new Aggregator({
      ...lane.storage,
      owner: 'test',
      archiveBacklogMs: 0,
      backfillCheckMs: 20,
      ...options,
    })
    await aggregator.start()
    return aggregator
  }
  const isBackfilled = (app: string) => async (): Promise<boolean> => {
    const [state] = await lane.storage.registry.backfills.list(app)
    return state !== undefined && state.counted === state.groups.length && state.groups.length > 0
  }
  /** Rows of the stage tables, without marks. */
  async function stages(app: string): Promise<unknown> {
    const { counters, persons, devices } = await lane.tables(app)
    const rows = (table: Record<string, unknown>): unknown[] =>
      Object.entries(table)
        .filter(([row]) => row.startsWith('stage_') && !isMark(['', row.split('|')[3]!]))
        .sort()
    const noTime = Object.fromEntries(Object.entries(counters).filter(([row]) => row.startsWith('stage_time')))
    return { counters: rows(noTime), persons: rows(persons), devices: rows(devices) }
  }

  it('gives a funnel the same numbers whether it is created after its events, amid them, or before', async () => {
    const aggregator = await start()
    try {
      await fc.assert(
        fc.asyncProperty(visits, fc.nat(25), async (steps, cut) => {
          const [before, after] = [randomUUID(), randomUUID()]
          for (const app of [before, after]) await lane.app(app)
          await lane.storage.registry.funnels.put(before, 'f', funnel)
          await until(isBackfilled(before))
          // Events that were in the log when the funnel was created, and later ones from pages without knowledge of it.
          const [early, late] = [
            envelopesOf(after, steps, false).slice(0, cut),
            envelopesOf(after, steps, false).slice(cut),
          ]
          await lane.storage.log.append([...envelopesOf(before, steps, true), ...early])
          await lane.storage.registry.funnels.put(after, 'f', funnel)
          await until(isBackfilled(after))
          const all = cut >= steps.length
          if (!all) await lane.storage.log.append(late)
          await until(() => lane.isCounted())
          const [first, second] = [await stages(before), await stages(after)] as [
            Record<string, unknown>,
            Record<string, unknown>,
          ]
          // Visitors of stages follow from every event; edges and times of later events are reported by trackers that
          // know the funnel.
          const users = (counts: Record<string, unknown>): unknown =>
            ['persons', 'devices'].map((by) =>
              (counts[by] as [string][]).filter(([row]) => row.startsWith('stage_users')),
            )
          expect(users(second)).toEqual(users(first))
          if (all) expect(second).toEqual(first)
        }),
        { numRuns: runs },
      )
    } finally {
      await aggregator.close()
    }
  })

  it('counts the past once, wherever a backfill is interrupted and however often it restarts', async () => {
    const steps = fc.sample(visits, { seed: 7, numRuns: 20 }).flat()
    const [before, after] = [randomUUID(), randomUUID()]
    for (const app of [before, after]) await lane.app(app)
    await lane.storage.registry.funnels.put(before, 'f', funnel)
    let failures = 0
    /** Makes writes of the past fail: before they are applied, after, or not at all. */
    const failing: TableWriter = withOverrides(lane.storage.writer, {
      async apply(lease, batch) {
        const isPast = batch.seen.length === 0 && batch.sessions.length === 0
        const how = isPast ? failures++ % 4 : 3
        if (how === 0) throw new Error('cut before')
        await lane.storage.writer.apply(lease, batch)
        if (how === 1) throw new Error('cut after')
      },
    })
    let aggregator = await start()
    await until(isBackfilled(before))
    await lane.storage.log.append([...envelopesOf(before, steps, true), ...envelopesOf(after, steps, false)])
    await until(() => lane.isCounted())
    await lane.storage.registry.funnels.put(after, 'f', funnel)
    await aggregator.close()
    for (let times = 0; times < 4; times++) {
      aggregator = await start({ writer: failing })
      await aggregator.backfill()
      await aggregator.close()
      // As a process that was killed before it could save its progress.
      const [state] = await lane.storage.registry.backfills.list(after)
      await lane.storage.registry.backfills.put(after, 'f 0', { ...state!, last: '9999-12-31', counted: 0 })
    }
    aggregator = await start()
    await until(isBackfilled(after))
    await aggregator.close()
    expect(failures).toBeGreaterThan(4)
    expect(await stages(after)).toEqual(await stages(before))
  })

  it('counts what comes right after another process, as an import does, has stored stages as known', async () => {
    const [before, imported] = [randomUUID(), randomUUID()]
    for (const app of [before, imported]) await lane.app(app)
    const { registry, log } = lane.storage
    const steps = [0, 1, 3, 4].map((at): Visits[number] => [
      { device: 0, session: 0, wait: 1_000, at, click: false },
      undefined,
    ])
    const aggregator = await start()
    try {
      await registry.funnels.put(before, 'f', funnel)
      await until(isBackfilled(before))
      const sent = envelopesOf(imported, steps, true)
      // from now on, the app is in the cache without its funnel
      await log.append(sent.slice(0, 1))
      await until(() => lane.isCounted())
      const group = { stages: funnel.stages.map(stageNumber), until: 0 }
      await registry.backfills.put(imported, backfillId({ funnel: 'f', lane: 0 }), {
        funnel: 'f',
        lane: 0,
        lanes: 1,
        groups: [group],
        definition: stagesDefinition(funnel.stages),
        counted: 0,
        done: 0,
        dates: 0,
      })
      await registry.funnels.put(imported, 'f', funnel)
      await until(isBackfilled(imported))
      await log.append([...envelopesOf(before, steps, true), ...sent.slice(1)])
      await until(() => lane.isCounted())
      expect(await stages(imported)).toEqual(await stages(before))
    } finally {
      await aggregator.close()
    }
  })

  it('counts the past of an added stage, and leaves the other stages unchanged', async () => {
    const app = randomUUID()
    await lane.app(app)
    const first = { ...funnel, stages: funnel.stages.slice(0, 2) }
    const aggregator = await start()
    try {
      await lane.storage.registry.funnels.put(app, 'f', first)
      await until(isBackfilled(app))
      const view = (n: number, to: string): Event => ({
        type: 'url_change',
        event_id: `v${n}`,
        timestamp: noon + n,
        seq: n,
        session_id: 's',
        from: '',
        to,
        elapsed_time: 1,
      })
      const events = [view(0, '/'), view(1, 'https://s.example/thanks'), view(2, '/products')]
      await lane.storage.log.append([envelopeOf(app, { events, received_at: noon + 9 })])
      await until(() => lane.isCounted())
      const before = (await lane.tables(app)).devices
      await lane.storage.registry.funnels.put(app, 'f', funnel)
      await until(async () => (await lane.storage.registry.backfills.list(app))[0]!.counted === 2)
      const { devices } = await lane.tables(app)
      const added = Object.keys(devices).filter((row) => !Object.hasOwn(before, row))
      const date = '2026-06-15'
      expect(added.sort()).toEqual([`stage_edges_by_date|${date}|f|1|5`, `stage_users_by_date|${date}|f|5`])
    } finally {
      await aggregator.close()
    }
  })
}

describe('backfill, standalone', () => suite(openEmbedded, repetitions(8)))
if (engines) describe('backfill on Cassandra', () => suite(overCassandra(engines), repetitions(4)))
else it.skip('backfill on Cassandra')

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  backfillId,
  stagesDefinition,
  type Envelope,
  type Funnel,
  type LaneBackfill,
  type StageGroup,
} from '@hopper/contracts'
import { withOverrides, type Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { expect, it } from 'vitest'
import { dumpOf, readDump } from '../testing/answers.fixture.ts'
import { interruptAfter } from '../testing/interrupted.fixture.ts'
import { StagePasts } from './stage-pasts.ts'

const funnel: Funnel = {
  id: 'f',
  name: 'F',
  stages: [
    { id: 1, name: 'a', url: '/a' },
    { id: 2, name: 'b', url: '/b' },
    { id: 4, name: 'd', url: '/d' },
  ],
}
const definition = stagesDefinition(funnel.stages)

/** What a lane of the dumped installation knew, all of it counted. */
function laneOf(lane: number, groups: readonly StageGroup[]): LaneBackfill {
  return { funnel: 'f', lane, lanes: 2, groups, definition, counted: groups.length, done: 0, dates: 0 }
}

async function withStorage(lanes: number, work: (storage: Storage) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-pasts-'))
  const storage = await openEmbedded({ dir, lanes })
  try {
    await work(storage)
  } finally {
    await storage.close()
    await rm(dir, { recursive: true })
  }
}

/** Returns the groups of a lane as they are stored, none of them counted yet. */
async function groupsOf({ registry }: Storage, lane: number): Promise<readonly StageGroup[] | undefined> {
  const found = await registry.backfills.get('shop', backfillId({ funnel: 'f', lane }))
  if (found) expect(found).toMatchObject({ counted: 0, done: 0, dates: 0 })
  return found?.groups
}

it('keeps the positions where nothing else is in the lanes, and leaves out stages that were removed', () =>
  withStorage(2, async (storage) => {
    const pasts = new StagePasts(2)
    pasts.addFunnel('shop', funnel)
    const groups = [
      { stages: [1, 2, 3], until: 0 },
      { stages: [4], until: 7 },
      { stages: [], until: 9 },
    ]
    pasts.addBackfill('shop', laneOf(0, groups))
    pasts.addBackfill('shop', laneOf(1, groups))
    for (let position = 0; position < 9; position++)
      for (const lane of [0, 1]) pasts.place({ lane, position, app: 'shop' }, { lane, position })
    await pasts.store(storage.registry, [9, 9])
    const wanted = [
      { stages: [1, 2], until: 0 },
      { stages: [4], until: 7 },
    ]
    expect(await groupsOf(storage, 0)).toEqual(wanted)
    expect(await groupsOf(storage, 1)).toEqual(wanted)
    expect((await storage.registry.backfills.list('shop')).map((each) => each.definition)).toEqual([
      definition,
      definition,
    ])
    expect(await storage.registry.funnels.get('shop', 'f')).toEqual(funnel)
  }))

it('keeps the ranges of messages that come from several lanes into one, also through a second import', () =>
  withStorage(1, async (storage) => {
    const pasts = new StagePasts(1)
    pasts.addFunnel('shop', funnel)
    pasts.addBackfill('shop', laneOf(0, [{ stages: [1, 2, 4], until: 1 }]))
    pasts.addBackfill(
      'shop',
      laneOf(1, [
        { stages: [1, 2], until: 0 },
        { stages: [4], until: 2 },
      ]),
    )
    const places = [0, 1].flatMap((lane) => [0, 1, 2].map((position) => ({ lane, position, app: 'shop' })))
    // a message of another app is between them
    const at = [0, 1, 3, 4, 5, 6]
    for (const [n, place] of places.entries()) pasts.place(place, { lane: 0, position: at[n]! })
    pasts.place({ lane: 0, position: 99, app: 'other' }, { lane: 0, position: 2 })
    await pasts.store(storage.registry, [8])
    const wanted = [
      { stages: [1, 2], until: 1 },
      { stages: [4], until: 6, known: [{ first: 1, next: 4 }] },
    ]
    expect(await groupsOf(storage, 0)).toEqual(wanted)

    await withStorage(2, async (second) => {
      const again = new StagePasts(2)
      again.addFunnel('shop', funnel)
      again.addBackfill('shop', { ...laneOf(0, wanted), lanes: 1 })
      for (const [n, position] of at.entries())
        again.place({ lane: 0, position, app: 'shop' }, { lane: n < 3 ? 0 : 1, position: 10 + n })
      await again.store(second.registry, [20, 20])
      expect(await groupsOf(second, 0)).toEqual([{ stages: [1, 2, 4], until: 11 }])
      expect(await groupsOf(second, 1)).toEqual([
        { stages: [1, 2], until: 13 },
        { stages: [4], until: 15 },
      ])
    })
  }))

it('does not change what a lane knows already, nor a funnel that no lane has seen', () =>
  withStorage(1, async (storage) => {
    await storage.registry.backfills.put('shop', 'f 0', { ...laneOf(0, [{ stages: [1], until: 3 }]), lanes: 1 })
    const pasts = new StagePasts(1)
    pasts.addFunnel('shop', funnel)
    pasts.addFunnel('shop', { ...funnel, id: 'g' })
    pasts.addBackfill('shop', laneOf(0, [{ stages: [1, 2], until: 0 }]))
    pasts.place({ lane: 0, position: 0, app: 'shop' }, { lane: 0, position: 5 })
    await pasts.store(storage.registry, [6])
    expect(await groupsOf(storage, 0)).toEqual([
      { stages: [1], until: 3 },
      { stages: [2], until: 5 },
    ])
    expect((await storage.registry.backfills.list('shop')).length).toBe(1)
    expect((await storage.registry.funnels.list('shop')).map(({ id }) => id).sort()).toEqual(['f', 'g'])
  }))

function envelopeOf(n: number): Envelope {
  const view = { type: 'url_change', from: '', to: 'https://s.example/a', elapsed_time: 0 } as const
  return {
    version: 1,
    app: 'shop',
    device_id: `d${n % 7}`,
    received_at: n,
    context: { device: 'server', browser: '', os: '' },
    events: [{ ...view, event_id: `e${n}`, timestamp: n, seq: 0 }],
  }
}

/** Returns the dump of an installation of two lanes in which stage 4 became known in the middle of each. */
async function dumpOfChanged(): Promise<string> {
  let dump = ''
  await withStorage(2, async (source) => {
    const { registry } = source
    await registry.organizations.put('', 'acme', { id: 'acme', name: 'Acme' })
    const app = { id: 'shop', organization: 'acme', name: 'Shop', timezone: 'UTC', origins: [], keep_parameters: [] }
    await registry.apps.put('acme', 'shop', app)
    await registry.funnels.put('shop', 'f', funnel)
    await source.log.append(Array.from({ length: 40 }, (_, n) => envelopeOf(n)))
    for (const [lane, end] of (await source.log.ends()).entries()) {
      expect(end).toBeGreaterThan(4)
      const groups = [
        { stages: [1, 2], until: 1 },
        { stages: [4], until: Math.floor(end / 2) },
      ]
      await registry.backfills.put('shop', backfillId({ funnel: 'f', lane }), laneOf(lane, groups))
    }
    dump = await dumpOf(source)
  })
  return dump
}

it('knows the same ranges when an import was interrupted, at an append or before its end', async () => {
  const dump = await dumpOfChanged()
  const atEnd = (storage: Storage): Storage => {
    const funnels = withOverrides(storage.registry.funnels, { put: () => Promise.reject(new Error('interrupted')) })
    const backfills = withOverrides(storage.registry.backfills, { put: () => Promise.resolve() })
    return { ...storage, registry: { ...storage.registry, funnels, backfills } }
  }
  const imported = async (interrupt?: (storage: Storage) => Storage): Promise<readonly LaneBackfill[]> => {
    let found: readonly LaneBackfill[] = []
    await withStorage(3, async (target) => {
      if (interrupt) await expect(readDump(interrupt(target), dump)).rejects.toThrow('interrupted')
      expect(await target.registry.funnels.list('shop')).toEqual([])
      await readDump(target, dump)
      found = await target.registry.backfills.list('shop')
    })
    return found
  }
  const wanted = await imported()
  expect(wanted.map(({ groups }) => groups.length)).toEqual([2, 2, 2])
  expect(wanted.flatMap(({ groups }) => groups.flatMap(({ known = [] }) => known)).length).toBeGreaterThan(0)
  for (const how of ['before', 'half', 'after', 'note'] as const)
    expect(await imported((storage) => interruptAfter(storage, 0, how))).toEqual(wanted)
  expect(await imported(atEnd)).toEqual(wanted)
}, 120_000)

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Aggregator } from '@hopper/aggregator'
import { provision } from '@hopper/api'
import { backfillProgress, type Envelope, type Event, type Stage } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { auditOf, makeInstallation } from '../testing/installation.fixture.ts'
import { readConfig } from '../config/config.ts'
import { answersOf, registryFile } from '../testing/answers.fixture.ts'
import { createLogger } from '../logging/logger.ts'
import { settingsOf } from '../config/settings.ts'
import { rebuildInstallation } from './rebuild-main.ts'

const withoutFunnels = {
  organizations: registryFile.organizations.map(({ apps, ...rest }) => ({
    ...rest,
    apps: apps.map(({ funnels: _, ...app }) => app),
  })),
}
const noon = Date.parse('2026-03-29T10:00:00Z')
const lanes = 2
const pages = ['/', '/products/rug', '/products/lamp', '/cart', '/help']
const home: Stage = { id: 1, name: 'home', url: '/' }
const products: Stage = { id: 2, name: 'products', url: '/products*' }
const cart: Stage = { id: 3, name: 'cart', url: '/cart' }
const lamp: Stage = { id: 4, name: 'lamp', url: '/products/lamp' }
const pay: Stage = { id: 5, name: 'pay', click: '#pay' }
/** The funnel over time: it is created, gets a narrower stage, another order, another URL, and loses stages. */
const definitions: readonly (readonly Stage[])[] = [
  [home, products, cart],
  [home, products, cart, lamp],
  [home, lamp, products, cart],
  [home, lamp, { ...products, url: '/products/r*', number: 6 }, cart, pay],
  [home, cart, pay],
  [home, products, cart, pay],
]

const visit = fc.record({
  device: fc.nat(3),
  page: fc.nat(pages.length - 1),
  click: fc.nat(4),
  reported: fc.option(fc.constantFrom(1, 2, 3, 4, 5), { nil: undefined }),
})
const phase = fc.array(visit, { maxLength: 8 })

/**
 * Events that a server (devices 0 and 1) or a tracker sends in a phase. A sender that knows the funnel reports entered
 * stages.
 */
function envelopesOf(
  visits: readonly (typeof visit extends fc.Arbitrary<infer T> ? T : never)[],
  n: number,
): Envelope[] {
  return visits.map(({ device, page, click, reported }, index) => {
    const timestamp = noon + (n * 20 + index) * 60_000 + (device % 2) * 86_400_000
    const base = { timestamp, session_id: `s${device}` }
    const url = `https://s.example${pages[page]}`
    const events = [
      click === 0
        ? {
            ...base,
            event_id: `c${n}-${index}`,
            seq: 0,
            type: 'click',
            target: "//*[@id='pay']",
            elapsed_time: 5,
            current_url: url,
          }
        : { ...base, event_id: `v${n}-${index}`, seq: 0, type: 'url_change', from: '', to: url, elapsed_time: 9 },
      ...(device > 1 && n > 0 && reported !== undefined
        ? [
            {
              ...base,
              event_id: `f${n}-${index}`,
              seq: 1,
              type: 'funnel_change',
              action: 'onUrlChange',
              funnel: 'f',
              entered: reported,
              from: 1,
              elapsed_time: 7,
            },
          ]
        : []),
    ]
    const context = { device: device > 1 ? 'desktop' : 'server', browser: '', os: '' } as const
    return {
      version: 1,
      app: 'berlin',
      device_id: `d${device}`,
      received_at: timestamp,
      context,
      events: events as unknown as Event[],
    }
  })
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('not in time')
    await new Promise((next) => setTimeout(next, 10))
  }
}

/** Sends each phase, with a change of the funnel before all but the first, while an aggregator counts. */
async function countPhases(
  storage: Storage,
  phases: readonly (readonly Parameters<typeof envelopesOf>[0][number][])[],
  order: readonly number[],
): Promise<void> {
  const aggregator = new Aggregator({ ...storage, owner: 'live', archiveBacklogMs: 0, backfillCheckMs: 5 })
  await aggregator.start()
  const isCounted = async (): Promise<boolean> => {
    const [positions, ends] = await Promise.all([storage.lanes.positions(), storage.log.ends()])
    return positions.every((position, lane) => position === ends[lane])
  }
  for (const [n, visits] of phases.entries()) {
    const stages = n === 0 ? undefined : definitions[order[n - 1]! % definitions.length]!
    if (stages) {
      await storage.registry.funnels.put('berlin', 'f', { id: 'f', name: 'F', stages: [...stages] })
      await until(
        async () => backfillProgress(stages, await storage.registry.backfills.list('berlin')).state === 'done',
      )
    }
    if (visits.length > 0) await storage.log.append(envelopesOf(visits, n))
    // Sometimes the next change arrives while these are being counted.
    if (visits.length % 2 === 0) await until(isCounted)
  }
  await until(isCounted)
  await aggregator.close()
}

/** Returns every row of the tables of stages, and the state of the past. */
function stagesOf(dir: string): string[] {
  const database = new DatabaseSync(join(dir, 'tables.db'), { readOnly: true })
  const tables = ['stage_users_by_date', 'stage_edges_by_date', 'stage_time_by_date']
  const rows = tables.flatMap((table) =>
    database
      .prepare(`SELECT * FROM ${table}`)
      .all()
      .map((row) => ({ table, ...row })),
  )
  database.close()
  return rows
    .filter((row) => !('hit' in row) || row.hit !== 0 || ('elapsed' in row && row.elapsed !== 0))
    .map((row) => JSON.stringify(row))
    .sort()
}

it('a rebuild gives the tables and answers of live counting, before and after each change of a funnel', async () => {
  const orders = fc.array(fc.nat(5), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(fc.array(phase, { minLength: 4, maxLength: 4 }), orders, async (phases, order) => {
      await using installation = await makeInstallation(lanes)
      const { dir, storage } = installation
      await provision(storage.registry, withoutFunnels, 0)
      await countPhases(storage, phases.slice(0, order.length + 1), order)
      expect(await auditOf(storage)).toEqual([])
      await storage.close()
      const before = { tables: stagesOf(dir), answers: await answersOfDir(dir) }
      const config = readConfig(settingsOf.installation, { data: dir, lanes: String(lanes) }, {})
      await rebuildInstallation(config, undefined, {
        logger: createLogger('silent', 'rebuild'),
        progress: () => undefined,
      })
      expect({ tables: stagesOf(dir), answers: await answersOfDir(dir) }).toEqual(before)
    }),
    { numRuns: 3, seed: 11, endOnFailure: true },
  )
}, 240_000)

async function answersOfDir(dir: string): Promise<string[]> {
  const storage = await openEmbedded({ dir, lanes })
  try {
    const answers = await answersOf(storage)
    expect(answers.filter((answer) => !/ 200 /.test(answer))).toEqual([])
    return answers
  } finally {
    await storage.close()
  }
}

import type { BotReason } from '@hopper/contracts'
import { Chunk, chunkRows } from '@hopper/engine'
import { repetitions } from '@hopper/storage/contract/repetitions'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { whenCounted, type Installation } from '../installations/installation.ts'
import { standalone } from '../installations/standalone.ts'
import { mulberry32 } from '../traffic/random-traffic.ts'
import { readTables } from '../traffic/stored-rows.ts'
import { actionOf, PageLives, type Sabotage } from './page-lives.fixture.ts'

const LIVES = repetitions(200)
const CONTROL_LIVES = 24
const TIMEOUT_MS = 900_000

const app = (id: string) => ({
  id,
  name: id,
  timezone: 'UTC',
  write_key: `hw_${id}_0123456789abcdef`,
  read_key: `hr_${id}_0123456789abcdef`,
})
const apps = { tested: app('tested'), emptied: app('emptied'), copied: app('copied') }

/** How often each action of a page was counted, in the archive and in the tables. */
interface Counted {
  readonly archived: ReadonlyMap<string, number>
  readonly tables: ReadonlyMap<string, number>
}

let installation: Installation

/** Reads the stored events of an app; `bot` is a verdict that sessions may have. The installation must be stopped. */
async function readCounted(app: string, bot?: BotReason): Promise<Counted> {
  const storage = await installation.openStorage()
  try {
    const archived = new Map<string, number>()
    for (const summary of await storage.archive!.list({ app, from: 0, to: Number.MAX_SAFE_INTEGER })) {
      const columns = await storage.archive!.columns(summary, Object.keys(summary.columns))
      for (const { event, context } of chunkRows(Chunk.of({ summary, columns }))) {
        expect([undefined, bot]).toContain(context.bot)
        const type = { custom: 0, click: 1, url_change: 2 }[event.type as 'custom' | 'click' | 'url_change']
        const action = type !== undefined && actionOf({ ...event, type })
        if (action) archived.set(action, (archived.get(action) ?? 0) + 1)
      }
    }
    const dates = [-1, 0, 1].map((day) => new Date(Date.now() + day * 86_400_000).toISOString().slice(0, 10))
    const tables = new Map<string, number>()
    for (const [row, [count]] of (await readTables(storage.reader, app, dates)).counters) {
      const [table, , page, target] = row.split(' ')
      const path = page!.slice(page!.indexOf('/'))
      const action =
        table === 'page_views_by_date' ? `view ${path}` : table === 'clicks_by_date' ? `click ${target}` : undefined
      if (action && count) tables.set(action, (tables.get(action) ?? 0) + count)
    }
    return { archived, tables }
  } finally {
    await storage.close()
  }
}

/** Simulates visitors of an app, and compares what they did with what is counted, event by event. */
async function liveAndCompare(app: keyof typeof apps, lives: number, seed: number, sabotage?: Sabotage) {
  await installation.start()
  await using visitor = await PageLives.open(installation.ingestUrl, apps[app].write_key, mulberry32(seed), sabotage)
  // a kill may take the events whose loss a control has to show
  await visitor.live(lives, sabotage ? 0 : 0.5)
  await whenCounted(installation, apps[app].read_key)
  expect(await installation.stop('SIGTERM')).toEqual([])
  expect(visitor.errors).toEqual([])
  expect(visitor.ingest.refusals).toEqual([])
  // a control that copies events soon has more of them than a person causes, so its sessions are taken for robots
  const { archived, tables } = await readCounted(apps[app].id, sabotage && 'rate')
  const { asked, done, clicks, unwritten, written, ended } = visitor.actions
  const acknowledged = [...visitor.ingest.acknowledged.values()].flatMap((event) => actionOf(event) ?? [])
  const certain = new Set([...[...done].filter((action) => !unwritten.has(action)), ...acknowledged])
  const isInTables = (action: string): boolean => !action.startsWith('track ')
  console.log(
    `page lives: ${lives}; actions asked ${asked.size}, done ${done.size}, counted ${archived.size}; unacknowledged ` +
      `at a kill and on disk ${written.size}, not yet on disk ${unwritten.size}; ` +
      `endings ${JSON.stringify([...ended])}; requests ${JSON.stringify(visitor.ingest.met)}`,
  )
  return {
    visitor,
    certain,
    lost: [...certain].filter((action) => !archived.has(action) || (isInTables(action) && !tables.has(action))),
    twice: [...archived, ...tables].filter(([action, count]) => count > (clicks.get(action) ?? 1)),
    invented: [...archived.keys(), ...tables.keys()].filter((action) => !asked.has(action)),
  }
}

describe('page lives', () => {
  beforeAll(async () => {
    installation = await standalone({
      provision: { organizations: [{ id: 'o', name: 'O', apps: Object.values(apps) }] },
      env: { HOPPER_LOG_LEVEL: 'error', HOPPER_DEMO: 'false' },
    })
  }, TIMEOUT_MS)
  afterEach(() => installation.stop('SIGKILL'))
  afterAll(() => installation?.dispose())

  it(
    'lose nothing that was acknowledged or queued, and count nothing twice',
    async () => {
      const { visitor, certain, lost, twice, invented } = await liveAndCompare('tested', LIVES, 14)
      expect({ lost, twice, invented }).toEqual({ lost: [], twice: [], invented: [] })
      expect(certain.size).toBeGreaterThan(LIVES)
      expect(visitor.actions.ended.get('stuck') ?? 0).toBeLessThan(LIVES / 4)
      for (const met of Object.values(visitor.ingest.met)) expect(met).toBeGreaterThan(0)
      for (const ending of ['close', 'closeAsPerson', 'leave', 'next', 'crash', 'quit', 'killed'])
        expect(visitor.actions.ended.get(ending), ending).toBeGreaterThan(0)
    },
    TIMEOUT_MS,
  )

  it(
    'control: lose events when the page empties the queue',
    async () => {
      const { lost } = await liveAndCompare('emptied', CONTROL_LIVES, 15, 'empties the queue')
      expect(lost.length).toBeGreaterThan(0)
    },
    TIMEOUT_MS,
  )

  it(
    'control: count events twice when the page gives them other ids',
    async () => {
      const { twice } = await liveAndCompare('copied', CONTROL_LIVES, 16, 'gives events other ids')
      expect(twice.length).toBeGreaterThan(0)
    },
    TIMEOUT_MS,
  )
})

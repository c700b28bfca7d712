import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { ArchivedEvent, ChunkSummary } from '@hopper/contracts'
import { Chunk, chunkRows, encodeChunks } from '@hopper/engine'
import type { Archive, Lease, Storage } from '@hopper/storage'
import '@hopper/storage/contract/engines'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openLane, type LaneStore } from '../testing/lane.fixture.ts'
import { overCassandra } from '../testing/over-cassandra.fixture.ts'
import { LaneMerges } from './lane-merges.ts'
import { MergeThread } from './merge-thread.ts'
import { repetitions } from '@hopper/storage/contract/repetitions'

const engines = inject('engines')
const merger = new MergeThread()
afterAll(() => merger.close())

const DATES = ['2026-06-15', '2026-06-16', '2026-07-01']
const MONTHS = 2
const AFTER_ALL = Date.parse('2026-08-15')

/**
 * Steps of appending and merging: an object appends this many spans to one of the dates; a string is one step of
 * merging that succeeds, fails or is left to a new owner.
 */
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      spans: fc.integer({ min: 1, max: 12 }),
      date: fc.constantFrom(...DATES),
      rows: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      'merge' as const,
      'merge' as const,
      'fails before' as const,
      'fails after' as const,
      'new owner' as const,
      'lease lost' as const,
    ),
  },
)

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

interface Run {
  readonly app: string
  lease: Lease | undefined
  merges: LaneMerges
  fails: 'fails before' | 'fails after' | undefined
  readonly expected: string[]
  position: number
}

function suite(open: (options: { dir: string; lanes: number }) => Promise<Storage>, numRuns: number): void {
  let lane: LaneStore
  let archive: Archive
  beforeAll(async () => {
    lane = await openLane(open)
    archive = lane.storage.archive!
  }, 120_000)
  afterAll(() => lane[Symbol.asyncDispose]())

  const list = (app: string): Promise<readonly ChunkSummary[]> =>
    archive.list({ app, from: 0, to: Number.MAX_SAFE_INTEGER })

  /** Reads the events of listed chunks, as a reader finds them now, in the order of the log. */
  async function read(chunks: readonly ChunkSummary[]): Promise<string[]> {
    const rows: ArchivedEvent[] = []
    for (const summary of chunks)
      rows.push(
        ...chunkRows(Chunk.of({ summary, columns: await archive.columns(summary, Object.keys(summary.columns)) })),
      )
    return rows
      .sort((a, b) => a.position - b.position || a.index - b.index)
      .map(({ event, device_id, position }) => `${position} ${device_id} ${event.event_id}`)
  }

  /** `replace` is the real one, or a broken one in the control. */
  function start(replace: Archive['replace'], run: Run): LaneMerges {
    const failing: Archive = {
      covered: (...args) => archive.covered(...args),
      append: (...args) => archive.append(...args),
      purge: (...args) => archive.purge(...args),
      list: (...args) => archive.list(...args),
      columns: (...args) => archive.columns(...args),
      async replace(...args) {
        if (run.fails === 'fails before') throw new Error('cut')
        await replace(...args)
        if (run.fails === 'fails after') throw new Error('cut')
      },
    }
    return new LaneMerges(failing, 0, merger, async () => [run.app], AFTER_ALL)
  }

  async function append(run: Run, { spans, date, rows }: { spans: number; date: string; rows: number }): Promise<void> {
    for (let span = 0; span < spans; span++) {
      const events = Array.from({ length: rows }, (_, index): ArchivedEvent => {
        const position = run.position++
        const device_id = `d${(position * 7) % 5}`
        const event_id = randomUUID()
        run.expected.push(`${position} ${device_id} ${event_id}`)
        const event = {
          type: 'custom' as const,
          name: `n${position % 3}`,
          event_id,
          timestamp: Date.parse(date) + ((position * 37) % 1000),
          seq: index,
        }
        return {
          event,
          device_id,
          user: '',
          context: { device: 'desktop', browser: 'Firefox', os: 'Linux' },
          received_at: AFTER_ALL,
          position,
          index: 0,
        }
      })
      const cover = {
        app: run.app,
        date,
        lane: 0,
        first_position: events[0]!.position,
        last_position: events.at(-1)!.position,
      }
      await archive.append(run.lease!, encodeChunks(events, cover))
      run.merges.appended({ app: run.app, date })
    }
  }

  async function takeLane(run: Run, replace: Archive['replace']): Promise<void> {
    // A crashed owner releases nothing; the release only saves the test from waiting until its lease expires.
    if (run.lease) await lane.storage.lanes.release(run.lease)
    run.lease = await lane.storage.lanes.acquire(0, randomUUID())
    run.merges = start(replace, run)
  }

  /** Plays the steps; every reader, including one that listed before a merge, must find each event once. */
  async function play(steps: readonly Step[], replace: Archive['replace']): Promise<ChunkSummary[]> {
    const run = { app: `m-${randomUUID()}`, fails: undefined, expected: [], position: 0 } as unknown as Run
    await takeLane(run, replace)
    try {
      return await playIn(run, steps, replace)
    } finally {
      // The next run would wait until the lease expires.
      await lane.storage.lanes.release(run.lease!)
    }
  }

  async function playIn(run: Run, steps: readonly Step[], replace: Archive['replace']): Promise<ChunkSummary[]> {
    for (const each of steps) {
      if (typeof each === 'object') await append(run, each)
      else if (each === 'new owner') await takeLane(run, replace)
      else {
        const before = await list(run.app)
        run.fails = each === 'fails before' || each === 'fails after' ? each : undefined
        const { lease } = run
        if (each === 'lease lost') await takeLane(run, replace)
        await run.merges
          .step(() => lease!, AFTER_ALL)
          .catch((error: Error) => expect(error.message).toMatch(/cut|owner|is gone/))
        expect(await read(before)).toEqual(run.expected)
      }
      run.fails = undefined
      expect(await read(await list(run.app))).toEqual(run.expected)
    }
    await takeLane(run, replace)
    while (await run.merges.step(() => run.lease!, AFTER_ALL));
    const left = await list(run.app)
    expect(await read(left)).toEqual(run.expected)
    return [...left]
  }

  // The steps include failures, lost leases and new owners.
  it('shows every event once to every reader while spans are merged, and leaves few spans', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const left = await play(steps, (...args) => archive.replace(...args))
        expect(left.length).toBeLessThanOrEqual(MONTHS)
        for (const { app, first_position, last_position } of left) {
          const covered = await archive.covered(
            0,
            DATES.map((date) => ({ app, date })),
          )
          expect(Math.max(...covered)).toBeGreaterThanOrEqual(last_position)
          expect(first_position).toBeLessThanOrEqual(last_position)
        }
      }),
      { numRuns },
    )
  }, 280_000)

  it('fails when a merge loses events or leaves an old span (control)', async () => {
    const losing: Archive['replace'] = (lease, old, merged) =>
      archive.replace(
        lease,
        old,
        merged.map(({ summary, columns }) => ({ summary: { ...summary, rows: summary.rows - 1 }, columns })),
      )
    const steps = [{ spans: 9, date: DATES[0]!, rows: 2 }, 'merge' as const, 'merge' as const]
    await expect(play(steps, losing)).rejects.toThrow()
    const doubling: Archive['replace'] = async (lease, [first], merged) => archive.replace(lease, [first!], merged)
    await expect(play(steps, doubling)).rejects.toThrow()
  }, 120_000)
}

describe('SQLite', () => suite(openEmbedded, repetitions(30)))
describe.skipIf(!engines)('Cassandra', () => suite((options) => overCassandra(engines!)(options), 2))

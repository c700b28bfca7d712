import { randomBytes, randomUUID } from 'node:crypto'
import type { ChunkSummary, DateCover, EncodedChunk } from '@hopper/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Archive } from '../ports/archive.ts'
import type { Lanes, Lease } from '../ports/tables.ts'

/** The part of an adapter that the suite needs. */
export interface ArchiveUnderTest {
  readonly archive: Archive
  readonly lanes: Lanes
  close(): Promise<void>
}

const date = '2026-03-28'
const T0 = Date.UTC(2026, 2, 28)

/**
 * A span with the given number of parts over these positions; its events lie between `T0 + first` and `T0 + last` ms.
 */
export function span(app: string, lane: number, first: number, last: number, parts = 1, on = date): EncodedChunk[] {
  return Array.from({ length: parts }, (_, part) => {
    const columns = new Map([
      ['runs', randomBytes(20)],
      ['data.\u00fc', randomBytes(900_000)],
      [`p${part}`, randomBytes(5)],
    ])
    const summary: ChunkSummary = {
      app,
      date: on,
      lane,
      first_position: first,
      last_position: last,
      part,
      parts,
      rows: 1,
      devices: 1,
      min_time: T0 + first,
      max_time: T0 + last,
      first_device: '00',
      last_device: 'ff',
      columns: Object.fromEntries([...columns].map(([name, cell]) => [name, cell.length])),
      values: { type: ['custom', null] },
    }
    return { summary, columns }
  })
}

/** The contract of every archive adapter. The store may contain anything already: each test uses its own app. */
export function archiveContract(name: string, make: () => Promise<ArchiveUnderTest>): void {
  describe(`the archive on ${name}`, () => {
    let under: ArchiveUnderTest
    let archive: Archive
    let lease: Lease
    beforeAll(async () => {
      under = await make()
      archive = under.archive
      lease = await under.lanes.acquire(0, randomUUID())
    })
    afterAll(async () => {
      await under.lanes.release(lease)
      await under.close()
    })
    const all = (app: string): Promise<readonly ChunkSummary[]> =>
      archive.list({ app, from: 0, to: Number.MAX_SAFE_INTEGER })
    const places = async (app: string): Promise<number[][]> =>
      (await all(app)).map((s) => [s.first_position, s.last_position, s.part])

    it('returns what was appended, column by column', async () => {
      const app = randomUUID()
      const chunks = span(app, 0, 0, 9, 2)
      await archive.append(lease, chunks)
      expect(await all(app)).toEqual(chunks.map((chunk) => chunk.summary))
      const cells = await archive.columns(chunks[1]!.summary, ['data.\u00fc', 'p1', 'p0', 'nothing'])
      expect([...cells.keys()].sort()).toEqual(['data.\u00fc', 'p1'])
      for (const [column, cell] of cells)
        expect(Buffer.from(cell)).toEqual(Buffer.from(chunks[1]!.columns.get(column)!))
    })

    it('covers each position of a partition once: refuses a span that begins at or before a covered one', async () => {
      const app = randomUUID()
      const partitions = [
        { app, date },
        { app, date: '2026-03-29' },
      ]
      expect(await archive.covered(0, partitions)).toEqual([-1, -1])
      await archive.append(lease, [...span(app, 0, 3, 9), ...span(app, 0, 12, 20)])
      expect(await archive.covered(0, partitions)).toEqual([20, -1])
      await expect(archive.append(lease, span(app, 0, 20, 30))).rejects.toMatchObject({ code: 'HOP_INTERNAL' })
      await expect(archive.append(lease, span(app, 0, 3, 9))).rejects.toMatchObject({ code: 'HOP_INTERNAL' })
      expect(await places(app)).toEqual([
        [3, 9, 0],
        [12, 20, 0],
      ])
      expect(await archive.covered(0, partitions)).toEqual([20, -1])
    })

    it('covers each date of a span with several, and refuses one that begins before a covered position', async () => {
      const app = randomUUID()
      const dates = [
        { date, first_position: 3, last_position: 8 },
        { date: '2026-03-30', first_position: 5, last_position: 9 },
      ]
      const several = (first: number, last: number, covers: readonly DateCover[]): EncodedChunk[] =>
        span(app, 0, first, last, 2).map((chunk) => ({ ...chunk, dates: covers }))
      const dated = [date, '2026-03-29', '2026-03-30'].map((each) => ({ app, date: each }))
      await archive.append(lease, several(3, 9, dates))
      expect(await archive.covered(0, dated)).toEqual([8, -1, 9])
      const again = several(9, 20, [
        { date, first_position: 10, last_position: 20 },
        { date: '2026-03-30', first_position: 9, last_position: 9 },
      ])
      await expect(archive.append(lease, again)).rejects.toMatchObject({ code: 'HOP_INTERNAL' })
      expect(await archive.covered(0, dated)).toEqual([8, -1, 9])
      await archive.append(
        lease,
        several(9, 20, [
          { date, first_position: 9, last_position: 20 },
          { date: '2026-03-29', first_position: 12, last_position: 12 },
        ]),
      )
      expect(await archive.covered(0, dated)).toEqual([20, 12, 9])
      expect(await places(app)).toEqual([
        [3, 9, 0],
        [3, 9, 1],
        [9, 20, 0],
        [9, 20, 1],
      ])
    })

    it('shows a span with all its parts or not at all', async () => {
      const app = randomUUID()
      await expect(archive.append(lease, span(app, 0, 0, 9, 3).slice(1))).rejects.toMatchObject({
        code: 'HOP_INTERNAL',
      })
      expect(await all(app)).toEqual([])
      expect(await archive.covered(0, [{ app, date }])).toEqual([-1])
    })

    it('lists chunks that overlap a time range, optionally of one lane', async () => {
      const app = randomUUID()
      await archive.append(lease, [...span(app, 0, 0, 9), ...span(app, 0, 10, 19), ...span(app, 0, 20, 29)])
      const between = async (from: number, to: number, lane?: number): Promise<number[]> =>
        (await archive.list({ app, from: T0 + from, to: T0 + to, ...(lane === undefined ? {} : { lane }) })).map(
          (s) => s.first_position,
        )
      expect(await between(9, 10)).toEqual([0])
      expect(await between(9, 11)).toEqual([0, 10])
      expect(await between(10, 100)).toEqual([10, 20])
      expect(await between(30, 40)).toEqual([])
      expect(await between(0, 100, 0)).toEqual([0, 10, 20])
      expect(await between(0, 100, 1)).toEqual([])
    })

    it('replaces spans by a merged one atomically, and keeps their columns for earlier readers', async () => {
      const app = randomUUID()
      const parts = [...span(app, 0, 0, 9), ...span(app, 0, 10, 19, 2)]
      await archive.append(lease, parts)
      const before = await all(app)
      await archive.replace(lease, [parts[0]!.summary, parts[1]!.summary], span(app, 0, 0, 19, 2))
      expect(await places(app)).toEqual([
        [0, 19, 0],
        [0, 19, 1],
      ])
      for (const summary of before) expect((await archive.columns(summary, ['runs'])).size).toBe(1)
      expect(await archive.covered(0, [{ app, date }])).toEqual([19])
      await archive.append(lease, span(app, 0, 20, 29))
      expect(await places(app)).toEqual([
        [0, 19, 0],
        [0, 19, 1],
        [20, 29, 0],
      ])
    })

    it('removes a span without a trace of its cells, and keeps its positions covered', async () => {
      const app = randomUUID()
      const parts = [...span(app, 0, 0, 9, 2), ...span(app, 0, 10, 19)]
      await archive.append(lease, parts)
      const [gone, , kept] = await all(app)
      await archive.replace(lease, [gone!], [])
      expect(await places(app)).toEqual([[10, 19, 0]])
      expect((await archive.columns(gone!, ['runs'])).size).toBe(1)
      await archive.purge(lease, app)
      const left = await archive.columns(gone!, ['runs']).catch(() => new Map())
      expect(left.size).toBe(0)
      expect((await archive.columns(kept!, ['runs'])).size).toBe(1)
      expect(await archive.covered(0, [{ app, date }])).toEqual([19])
      await expect(archive.append(lease, span(app, 0, 3, 12))).rejects.toMatchObject({ code: 'HOP_INTERNAL' })
    })

    it('distinguishes a rewritten span from what it was at the same positions', async () => {
      const app = randomUUID()
      const [before] = span(app, 0, 0, 9)
      const [after] = span(app, 0, 0, 9)
      const fewer = { ...after!, summary: { ...after!.summary, rows: 0 } }
      await archive.append(lease, [before!])
      const [listed] = await all(app)
      await archive.replace(lease, [listed!], [fewer])
      expect(await all(app)).toEqual([fewer.summary])
      const cell = async (summary: ChunkSummary): Promise<string | undefined> => {
        const found = (await archive.columns(summary, ['runs']).catch(() => undefined))?.get('runs')
        return found && Buffer.from(found).toString('hex')
      }
      expect(await cell(fewer.summary)).toBe(Buffer.from(after!.columns.get('runs')!).toString('hex'))
      expect([undefined, Buffer.from(before!.columns.get('runs')!).toString('hex')]).toContain(await cell(listed!))
    })

    it('merges spans of several dates of a month into one of the first date, covering each as before', async () => {
      const app = randomUUID()
      const next = '2026-03-29'
      const spans = [...span(app, 0, 0, 9), ...span(app, 0, 5, 14, 1, next), ...span(app, 0, 15, 19)]
      await archive.append(lease, spans)
      await archive.replace(lease, [spans[0]!.summary, spans[1]!.summary], span(app, 0, 0, 14))
      expect(await places(app)).toEqual([
        [0, 14, 0],
        [15, 19, 0],
      ])
      expect(
        await archive.covered(0, [
          { app, date },
          { app, date: next },
        ]),
      ).toEqual([19, 14])
      await archive.append(lease, span(app, 0, 15, 30, 1, next))
      expect(
        await archive.covered(0, [
          { app, date },
          { app, date: next },
        ]),
      ).toEqual([19, 30])
    })

    it('changes nothing when one of the spans to merge no longer exists', async () => {
      const app = randomUUID()
      const [a, b] = [span(app, 0, 0, 9), span(app, 0, 10, 19)]
      await archive.append(lease, [...a, ...b])
      await archive.replace(lease, [a[0]!.summary, b[0]!.summary], span(app, 0, 0, 19))
      await expect(archive.replace(lease, [a[0]!.summary, b[0]!.summary], span(app, 0, 0, 19))).rejects.toMatchObject({
        code: 'HOP_INTERNAL',
      })
      expect(await places(app)).toEqual([[0, 19, 0]])
    })

    it('refuses an owner that has lost the lane, and chunks of another lane', async () => {
      const app = randomUUID()
      const lost = await under.lanes.acquire(1, randomUUID())
      await under.lanes.release(lost)
      const next = await under.lanes.acquire(1, randomUUID())
      await expect(archive.append(lost, span(app, 1, 0, 9))).rejects.toMatchObject({ code: 'HOP_STORE_UNAVAILABLE' })
      await expect(archive.append(next, span(app, 0, 0, 9))).rejects.toMatchObject({ code: 'HOP_INTERNAL' })
      await archive.append(next, span(app, 1, 0, 9))
      expect((await all(app)).map((s) => s.lane)).toEqual([1])
      await under.lanes.release(next)
    })
  })
}

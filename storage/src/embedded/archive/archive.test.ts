import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { archiveContract, span } from '../../contract/archive.contract.ts'
import { EmbeddedArchive } from './archive.ts'
import { EmbeddedLanes } from '../lanes.ts'
import { openDatabase } from '../sqlite.ts'
import { prepareTables } from '../tables/table-schema.ts'

const dir = mkdtempSync(join(tmpdir(), 'hopper-archive-'))
afterAll(() => rmSync(dir, { recursive: true }))

archiveContract('SQLite', async () => {
  const file = join(dir, 'tables.db')
  const database = openDatabase(file)
  prepareTables(database)
  const lanes = new EmbeddedLanes(database, 4)
  const archive = new EmbeddedArchive(database, file, lanes)
  return {
    archive,
    lanes,
    close: async () => {
      await archive.close()
      database.close()
    },
  }
})

it('deletes expired cells of replaced spans, also of another process, and half a span left by a crash', async () => {
  const file = join(dir, 'swept.db')
  const database = openDatabase(file)
  prepareTables(database)
  const lanes = new EmbeddedLanes(database, 1)
  const lease = await lanes.acquire(0, 'owner')
  const cells = (): number =>
    (database.prepare('SELECT count(*) AS count FROM chunk_cells').get() as { count: number }).count
  const [a, b, merged] = [span('shop', 0, 0, 9), span('shop', 0, 10, 19), span('shop', 0, 0, 19, 2)]
  const crashed = new EmbeddedArchive(database, file, lanes)
  await crashed.append(lease, [...a, ...b])
  await expect(
    crashed.replace(lease, [{ ...a[0]!.summary, first_position: 1 }], span('shop', 0, 0, 15)),
  ).rejects.toMatchObject({ code: 'HOP_INTERNAL' })
  await crashed.replace(lease, [a[0]!.summary, b[0]!.summary], merged)
  await crashed.close()
  expect(cells()).toBe(15)

  const keeping = new EmbeddedArchive(database, file, lanes, { sweeps: true, sweepMs: 1 })
  await keeping.append(lease, span('shop', 0, 20, 29))
  await keeping.list({ app: 'shop', from: 0, to: 1 })
  await keeping.close()
  expect(cells()).toBe(18)

  const sweeping = new EmbeddedArchive(database, file, lanes, { sweeps: true, sweepMs: 1, keptMs: 0 })
  const end = performance.now() + 10_000
  while (cells() > 9 && performance.now() < end) await new Promise((next) => setTimeout(next, 5))
  const all = await sweeping.list({ app: 'shop', from: 0, to: Number.MAX_SAFE_INTEGER })
  expect(all.map((s) => [s.first_position, s.last_position, s.part])).toEqual([
    [0, 19, 0],
    [0, 19, 1],
    [20, 29, 0],
  ])
  for (const summary of all) expect((await sweeping.columns(summary, ['runs'])).size).toBe(1)
  await sweeping.close()
  expect(cells()).toBe(9)
  database.close()
})

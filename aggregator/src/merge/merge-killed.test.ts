import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Chunk, chunkRows } from '@hopper/engine'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DATE, eventAt } from './merging-process.fixture.ts'

let dir: string
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'hopper-killed-'))))
afterEach(() => rm(dir, { recursive: true }))

/** Runs the process and kills it with SIGKILL this many ms after its first merge, or within it when it is torn. */
async function killAfter(ms: number, how: 'atomic' | 'torn'): Promise<void> {
  const child = fork(new URL('./merging-process.fixture.ts', import.meta.url), [dir, how], {
    execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'],
  })
  const exited = once(child, 'exit')
  const first = await Promise.race([once(child, 'message'), exited])
  expect(first[0]).toBe('merging')
  await new Promise((next) => setTimeout(next, ms))
  child.kill('SIGKILL')
  await exited
}

/** Returns the archived and the expected events, by position, and the number of spans. */
async function readArchive(): Promise<{ archived: object[]; expected: object[]; spans: number }> {
  const storage = await openEmbedded({ dir, lanes: 1 })
  const archive = storage.archive!
  const [covered] = await archive.covered(0, [{ app: 'shop', date: DATE }])
  const chunks = await archive.list({ app: 'shop', from: 0, to: Number.MAX_SAFE_INTEGER })
  const archived = []
  for (const summary of chunks)
    archived.push(
      ...chunkRows(Chunk.of({ summary, columns: await archive.columns(summary, Object.keys(summary.columns)) })),
    )
  await storage.close()
  return {
    archived: archived.sort((a, b) => a.position - b.position),
    expected: Array.from({ length: covered! + 1 }, (_, position) => eventAt(position)),
    spans: chunks.length,
  }
}

const pausesMs = Array.from({ length: 6 }, (_, kill) => (kill * 397) % 500)

it('contains every event once after each kill -9 during a merge', async () => {
  let last = 0
  let merged = 0
  for (const ms of pausesMs) {
    await killAfter(ms, 'atomic')
    const { archived, expected, spans } = await readArchive()
    expect(archived).toEqual(expected)
    expect(expected.length).toBeGreaterThan(last)
    last = expected.length
    // they were appended in pairs
    if (spans < expected.length / 2) merged++
  }
  expect(merged).toBeGreaterThan(pausesMs.length / 2)
}, 120_000)

it('loses events when a merge becomes visible in two steps (control)', async () => {
  await killAfter(0, 'torn')
  const { archived, expected } = await readArchive()
  expect(archived.length).toBeLessThan(expected.length)
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { provision } from '@hopper/api'
import type { Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { answersOf, dumpOf, readDump } from '../testing/answers.fixture.ts'
import { countPhases, definitionOrders, phases, withoutFunnels } from '../testing/changed-funnel.fixture.ts'
import { createLogger } from '../logging/logger.ts'
import { countAll } from '../rebuild/count-all.ts'
import { auditOf } from '../testing/installation.fixture.ts'

async function open(stack: AsyncDisposableStack, lanes: number): Promise<Storage> {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-stages-'))
  const storage = await openEmbedded({ dir, lanes })
  stack.defer(async () => {
    await storage.close()
    await rm(dir, { recursive: true })
  })
  return storage
}

/** Opens an installation in which a funnel is changed between the phases of what is sent. */
async function openChanged(
  stack: AsyncDisposableStack,
  lanes: number,
  sent: Parameters<typeof countPhases>[1],
  order: readonly number[],
): Promise<Storage> {
  const source = await open(stack, lanes)
  await provision(source.registry, withoutFunnels, 0)
  await countPhases(source, sent.slice(0, order.length + 1), order)
  return source
}

/** Reads a dump into an installation and counts it. */
async function move(stack: AsyncDisposableStack, dump: string, lanes: number): Promise<Storage> {
  const target = await open(stack, lanes)
  await readAndCount(target, dump)
  return target
}

async function readAndCount(target: Storage, dump: string): Promise<void> {
  await readDump(target, dump)
  await countAll(target, createLogger('silent', 'test'), () => undefined)
}

const lanes = fc.integer({ min: 1, max: 4 })

it('counts the stages of a changed funnel as before, there and back, with any number of lanes', async () => {
  await fc.assert(
    fc.asyncProperty(phases, definitionOrders, lanes, lanes, async (sent, order, from, to) => {
      await using stack = new AsyncDisposableStack()
      const source = await openChanged(stack, from, sent, order)
      const answers = await answersOf(source)
      const there = await move(stack, await dumpOf(source), to)
      expect(await auditOf(there)).toEqual([])
      expect(await answersOf(there)).toEqual(answers)
      const back = await move(stack, await dumpOf(there), from)
      expect(await auditOf(back)).toEqual([])
      expect(await answersOf(back)).toEqual(answers)
    }),
    { numRuns: 4, seed: 11, endOnFailure: true },
  )
}, 240_000)

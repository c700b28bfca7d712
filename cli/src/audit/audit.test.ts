import { Aggregator } from '@hopper/aggregator'
import type { LogMessage } from '@hopper/storage'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { makeInstallation, traffic } from './installation.fixture.ts'

const step = fc.record({ lane: fc.nat(1), messages: fc.integer({ min: 1, max: 6 }), give: fc.nat(3), audit: fc.nat(2) })

it('finds nothing in an undamaged installation, at whatever moment between two batches', async () => {
  await fc.assert(
    fc.asyncProperty(traffic, fc.array(step, { minLength: 3, maxLength: 12 }), async (envelopes, steps) => {
      await using installation = await makeInstallation()
      const { storage } = installation
      await storage.log.append(envelopes)
      const aggregator = new Aggregator({ ...storage, owner: 'test' })
      const next = await Promise.all([0, 1].map((lane) => aggregator.assigned(lane)))
      for (const { lane, messages, give, audit } of steps) {
        const read: readonly LogMessage[] = await storage.log.read(lane, next[lane]!, messages)
        if (read.length > 0) {
          await aggregator.batch(lane, read)
          next[lane] = read.at(-1)!.position + 1
        }
        if (give === 0) {
          await aggregator.revoked(lane)
          next[lane] = await aggregator.assigned(lane)
        }
        if (audit === 0) expect(await installation.audit()).toEqual([])
      }
      await installation.count()
      expect(await installation.audit()).toEqual([])
    }),
    { numRuns: 25 },
  )
}, 120_000)

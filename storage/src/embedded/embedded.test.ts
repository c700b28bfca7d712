import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Envelope } from '@hopper/contracts'
import { afterAll, expect, it } from 'vitest'
import { eventLogContract } from '../contract/event-log.contract.ts'
import { lanesContract } from '../contract/lanes.contract.ts'
import { registryContract } from '../contract/registry.contract.ts'
import { openEmbedded } from './embedded.ts'

const dir = mkdtempSync(join(tmpdir(), 'hopper-embedded-'))
const make = (): ReturnType<typeof openEmbedded> => openEmbedded({ dir, lanes: 4 })
/**
 * Directory of the lanes suite, which commits positions that no log has: opening it afterwards would report a loss of
 * the log.
 */
const lanesDir = mkdtempSync(join(tmpdir(), 'hopper-embedded-'))
afterAll(() => [dir, lanesDir].forEach((each) => rmSync(each, { recursive: true })))

eventLogContract('SQLite', make)
lanesContract('SQLite', () => openEmbedded({ dir: lanesDir, lanes: 4 }))
registryContract('SQLite', make)

it('gives the directory to one owner, and refuses another number of lanes', async () => {
  const storage = await make()
  await expect(make()).rejects.toMatchObject({ code: 'HOP_CONFIG' })
  await storage.close()
  await expect(openEmbedded({ dir, lanes: 5 })).rejects.toMatchObject({ code: 'HOP_CONFIG' })
  await (await make()).close()
})

it('gives leases without an end, and fences an owner in the same process by the epoch', async () => {
  const ownDir = mkdtempSync(join(tmpdir(), 'hopper-embedded-'))
  const { lanes, close } = await openEmbedded({ dir: ownDir, lanes: 1 })
  const lease = await lanes.acquire(0, 'first')
  expect([lease.expiresAt, (await lanes.renew(lease)).expiresAt]).toEqual([Infinity, Infinity])
  await lanes.acquire(0, 'second')
  await expect(lanes.commit(lease, 1)).rejects.toMatchObject({ code: 'HOP_STORE_UNAVAILABLE' })
  await close()
  rmSync(ownDir, { recursive: true })
})

it('delivers batches of bounded size, and a larger message alone', async () => {
  const ownDir = mkdtempSync(join(tmpdir(), 'hopper-embedded-'))
  const storage = await openEmbedded({ dir: ownDir, lanes: 1 })
  const sizes = [1_500_000, 1_500_000, 1_500_000, 5_000_000, 10, 10]
  const envelope = (size: number): Envelope => ({
    version: 1,
    app: 'a',
    device_id: 'd',
    received_at: 0,
    context: { device: 'desktop', browser: 'x'.repeat(size), os: '' },
    events: [],
  })
  await storage.log.append(sizes.map(envelope))
  const batches: number[][] = []
  const all = Promise.withResolvers<void>()
  const subscription = await storage.log.subscribe({
    assigned: async () => 0,
    revoked: async () => undefined,
    async batch(_, messages) {
      batches.push(messages.map(({ position }) => position))
      if (messages.at(-1)!.position === sizes.length - 1) all.resolve()
    },
  })
  await all.promise
  await subscription.close()
  await storage.close()
  rmSync(ownDir, { recursive: true })
  expect(batches).toEqual([[0, 1], [2], [3], [4, 5]])
})

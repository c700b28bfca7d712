import type { Registry } from '@hopper/storage'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { keys, openGateway, type Gateway } from '../gateway.fixture.ts'
import { KeyCheck } from './key-check.ts'

let gateway: Gateway
beforeEach(async () => void (gateway = await openGateway()))
afterEach(() => gateway[Symbol.asyncDispose]())

/** The real registry; what it answers of keys goes through `answer`. */
function over(registry: Registry, answer: <T>(found: Promise<T>) => Promise<T>): Registry {
  return Object.assign(Object.create(registry) as Registry, {
    keyByHash: (keyHash: string) => answer(registry.keyByHash(keyHash)),
  })
}

it('goes on with what it knew while the registry is away or silent, also long after it was asked', async () => {
  let away: 'no' | 'fails' | 'silent' = 'no'
  let asked = 0
  const check = new KeyCheck(
    over(gateway.storage.registry, (found) => {
      asked++
      if (away === 'no') return found
      return away === 'fails' ? Promise.reject(new Error('away')) : new Promise(() => undefined)
    }),
  )
  expect((await check.senderOf(keys.write)).app.id).toBe('shop')
  for (const how of ['fails', 'silent'] as const) {
    away = how
    const before = asked
    // An answer is kept for 5 s; after that each is asked for again.
    await vi.waitFor(
      async () => {
        expect((await check.senderOf(keys.write)).app.id).toBe('shop')
        expect(asked).toBeGreaterThan(before)
      },
      { timeout: 15_000, interval: 200 },
    )
  }
}, 40_000)

it('says that the store is away when it never knew the key', async () => {
  const check = new KeyCheck(over(gateway.storage.registry, () => Promise.reject(new Error('away'))))
  for (let attempt = 0; attempt < 3; attempt++)
    await expect(check.senderOf(keys.write)).rejects.toMatchObject({ code: 'HOP_STORE_UNAVAILABLE' })
})

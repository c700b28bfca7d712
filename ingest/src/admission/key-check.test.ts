import type { Registry } from '@hopper/storage'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'
import { KeyCheck } from './key-check.ts'

let ingest: IngestServer
beforeEach(async () => void (ingest = await openIngest()))
afterEach(() => ingest[Symbol.asyncDispose]())

/** Wraps the real registry; its results for keys pass through `answer`. */
function withAnswers(registry: Registry, answer: <T>(found: Promise<T>) => Promise<T>): Registry {
  return Object.assign(Object.create(registry) as Registry, {
    keyByHash: (keyHash: string) => answer(registry.keyByHash(keyHash)),
  })
}

it('keeps using the last known result while the registry is unavailable or silent', async () => {
  let failure: 'no' | 'fails' | 'silent' = 'no'
  let lookUps = 0
  const check = new KeyCheck(
    withAnswers(ingest.storage.registry, (found) => {
      lookUps++
      if (failure === 'no') return found
      return failure === 'fails' ? Promise.reject(new Error('unavailable')) : new Promise(() => undefined)
    }),
  )
  expect((await check.senderOf(keys.write)).app.id).toBe('shop')
  for (const next of ['fails', 'silent'] as const) {
    failure = next
    const before = lookUps
    // A result is cached for 5 s; afterwards each call queries the registry again.
    await vi.waitFor(
      async () => {
        expect((await check.senderOf(keys.write)).app.id).toBe('shop')
        expect(lookUps).toBeGreaterThan(before)
      },
      { timeout: 15_000, interval: 200 },
    )
  }
}, 40_000)

it('reports an unavailable store for a key without a known result', async () => {
  const check = new KeyCheck(withAnswers(ingest.storage.registry, () => Promise.reject(new Error('unavailable'))))
  for (let attempt = 0; attempt < 3; attempt++)
    await expect(check.senderOf(keys.write)).rejects.toMatchObject({ code: 'HOP_STORE_UNAVAILABLE' })
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { EndingReads } from './ending-thread.fixture.ts'
import { ReaderThread } from './reader-thread.ts'

it('refuses the queries of a thread that ends without an error, and starts another for the next', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-reader-'))
  const reader = new ReaderThread<EndingReads>(new URL('./ending-thread.fixture', import.meta.url), join(dir, 'any.db'))
  expect(await reader.call('answer')).toBe('answered')
  const pending = [reader.call('end'), reader.call('answer')]
  for (const each of pending) await expect(each).rejects.toMatchObject({ code: 'HOP_STORE_UNAVAILABLE' })
  expect(await reader.call('answer')).toBe('answered')
  await reader.close()
  rmSync(dir, { recursive: true })
})

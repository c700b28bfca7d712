import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const dir = join(import.meta.dirname, '../../docs/screenshots')
const BYTES_MAX = 2_000_000

it('the screenshots of the documents are together smaller than 2 MB', () => {
  const files = readdirSync(dir)
  expect(files.length).toBeGreaterThan(20)
  const bytes = files.reduce((sum, file) => sum + statSync(join(dir, file)).size, 0)
  expect(bytes).toBeLessThan(BYTES_MAX)
})

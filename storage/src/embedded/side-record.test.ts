import { pbkdf2 } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { readSideRecord, SideRecord } from './side-record.ts'

/** More tasks than Node's thread pool has threads, so that a task that is started later waits. */
const TASKS = 64

it('finishes a sync that waits for a thread while the record is closed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-side-record-'))
  const file = join(dir, 'record')
  const record = new SideRecord<number>(file)
  const busy = Array.from({ length: TASKS }, () => promisify(pbkdf2)('secret', 'salt', 20_000, 32, 'sha256'))
  const failures: Error[] = []
  record.write(1)
  record.sync((error) => failures.push(error))
  record.close()
  await Promise.all(busy)
  // A task of the thread pool ends after those that were started before it.
  await promisify(pbkdf2)('secret', 'salt', 1, 32, 'sha256')
  expect(failures).toEqual([])
  expect(readSideRecord(file)).toBe(1)
  rmSync(dir, { recursive: true })
})

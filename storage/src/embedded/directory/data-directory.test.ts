import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { ensureDirectory } from './data-directory.ts'
import { openEmbedded } from '../embedded.ts'

const root = mkdtempSync(join(tmpdir(), 'hopper-directory-'))
afterAll(() => rmSync(root, { recursive: true }))

const file = join(root, 'file')
writeFileSync(file, 'x')
symlinkSync(join(root, 'circle-b'), join(root, 'circle-a'))
symlinkSync(join(root, 'circle-a'), join(root, 'circle-b'))
symlinkSync(join(root, 'nowhere'), join(root, 'dangling'))
mkdirSync(join(root, 'lock-is-a-directory', 'lock.db'), { recursive: true })
mkdirSync(join(root, 'log-is-a-directory', 'log.db'), { recursive: true })
mkdirSync(join(root, 'tables-is-a-directory', 'tables.db'), { recursive: true })

const unusable = [
  '/proc/nope',
  '/proc/nope/deeper/still',
  '/proc/self',
  '/sys/nope',
  '/dev/null',
  '/dev/null/x',
  '/dev/full/x',
  file,
  join(file, 'below'),
  join(root, 'circle-a'),
  join(root, 'circle-a', 'x'),
  join(root, 'dangling'),
  join(root, 'x'.repeat(300)),
  join(root, ...new Array<string>(2_000).fill('deep')),
  join(root, 'lock-is-a-directory'),
  join(root, 'log-is-a-directory'),
  join(root, 'tables-is-a-directory'),
]

it.each(unusable)('refuses %s within a second', async (dir) => {
  const started = performance.now()
  await expect(openEmbedded({ dir, lanes: 1 })).rejects.toMatchObject({ code: 'HOP_CONFIG' })
  expect(performance.now() - started).toBeLessThan(1_000)
})

it.skipIf(process.getuid?.() === 0)('refuses a directory in which this user may not write', () => {
  const dir = join(root, 'read-only')
  mkdirSync(dir)
  chmodSync(dir, 0o500)
  expect(() => ensureDirectory(dir)).toThrow(/no right to write/)
  expect(() => ensureDirectory(join(dir, 'below'))).toThrow(/no right to write/)
})

it('creates missing directories, and no file in them', () => {
  const dir = join(root, 'a', 'b', 'c')
  ensureDirectory(dir)
  ensureDirectory(dir)
  expect(existsSync(dir)).toBe(true)
  expect(readdirSync(dir)).toEqual([])
})

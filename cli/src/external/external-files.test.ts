import { appendFile, mkdir, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { findLetters } from '@hopper/storage'
import { failingLog, makeExternal } from './external.fixture.ts'

const at = Date.now() - 3_600_000
const line = (n: number, more: object = {}): string =>
  `${JSON.stringify({ name: 'n', device_id: `d${n % 3}`, timestamp: at + n, data: { n }, ...more })}\n`
const lines = (count: number, first = 0): string => Array.from({ length: count }, (_, n) => line(first + n)).join('')
const later = (): number => Date.now() + 60_000

it('reads files of every kind as they appear and grow, each record once, also after a restart', async () => {
  await using external = await makeExternal()
  const { dir } = external
  await writeFile(join(dir, 'a.ndjson'), lines(500))
  await writeFile(join(dir, 'b.jsonl.gz'), gzipSync(lines(500, 500)))
  await writeFile(join(dir, 'c.csv'), 'timestamp,device_id,name\n' + `${at},"d\n1",n\n${at},d2,"n ""2"""\n`)
  await writeFile(join(dir, '.hidden.ndjson'), lines(1, 9_000))
  await writeFile(join(dir, 'notes.txt'), lines(1, 9_001))
  const first = external.start()
  await first.scan()
  await first.scan()
  expect(await external.fates()).toEqual({ accepted: 1_002, letters: 0 })
  await appendFile(join(dir, 'a.ndjson'), lines(100, 1_000))
  await appendFile(join(dir, 'c.csv'), `${at},d3,n\n`)
  await external.start().scan()
  await external.start().scan()
  expect(await external.fates()).toEqual({ accepted: 1_103, letters: 0 })
  expect((await external.events()).map(({ device_id }) => device_id)).toContain('d\n1')
  expect(external.counted).toEqual({ accepted: 1_103, rejected: 0 })
  expect(external.warnings).toEqual([])
})

it('leaves a line that is being written, and reads it when the file has not changed for a while', async () => {
  await using external = await makeExternal()
  const path = join(external.dir, 'a.ndjson')
  await writeFile(path, line(0) + line(1).slice(0, 20))
  const files = external.start()
  await files.scan()
  expect(await external.fates()).toEqual({ accepted: 1, letters: 0 })
  await appendFile(path, line(1).slice(20).trimEnd())
  await files.scan()
  expect(await external.fates()).toEqual({ accepted: 1, letters: 0 })
  await files.scan(later())
  await files.scan(later())
  expect(await external.fates()).toEqual({ accepted: 2, letters: 0 })
})

it('makes dead letters of bad records, with the reason and the record, and imports all others', async () => {
  await using external = await makeExternal()
  const bad = ['{"name":\n', '[1]\n', line(1, { device_id: undefined }), line(2, { timestamp: undefined })]
  await writeFile(join(external.dir, 'a.ndjson'), [...bad, line(0), line(3)].join(''))
  await writeFile(join(external.dir, 'b.csv'), `timestamp,device_id,name\n${at},d,n\n${at},d\n`)
  await external.start().scan()
  expect(await external.fates()).toEqual({ accepted: 3, letters: 5 })
  const letters: string[] = []
  for await (const { value, reason } of findLetters(external.storage, {}))
    letters.push(`${reason} ${Buffer.from(value).toString()}`)
  const records = letters.map((text) => JSON.parse(text.replace(/^\w+ /, '')) as { app: string; external: object })
  expect(letters.every((text) => text.startsWith('unknown_version'))).toBe(true)
  expect(records.every(({ app }) => app === 'shop')).toBe(true)
  expect(records.map(({ external }) => external)).toEqual([
    expect.objectContaining({ reason: 'not_an_object', record: '{"name":' }),
    expect.objectContaining({ reason: 'not_an_object', record: '[1]' }),
    expect.objectContaining({ reason: 'no_device', record: line(1, { device_id: undefined }).trimEnd() }),
    expect.objectContaining({ reason: 'missing_field' }),
    expect.objectContaining({
      reason: 'not_an_object',
      record: `["${at}","d"]`,
      message: 'It has 2 cells, its header has 3.',
    }),
  ])
})

it('appends each message once, wherever the process ends', async () => {
  for (const how of ['before', 'half', 'after'] as const) {
    await using external = await makeExternal()
    await writeFile(join(external.dir, 'a.ndjson'), `${lines(16_000)}not JSON\n`)
    for (const appends of [1, 0, 0]) await external.start(failingLog(external.storage, appends, how)).scan()
    expect(external.warnings).toEqual(['the process ends', 'the process ends', 'the process ends'])
    await external.start().scan()
    const ids = (await external.events()).map(({ event_id }) => event_id)
    expect([ids.length, new Set(ids).size]).toEqual([16_000, 16_000])
    expect((await external.fates())['letters']).toBe(1)
  }
}, 120_000)

it('recognizes a file that is renamed, and a new one in its place', async () => {
  await using external = await makeExternal()
  const { dir } = external
  const files = external.start()
  await writeFile(join(dir, 'a.ndjson'), lines(10))
  await files.scan()
  await rename(join(dir, 'a.ndjson'), join(dir, 'a.1.ndjson'))
  await writeFile(join(dir, 'a.ndjson'), lines(10, 10))
  await files.scan()
  expect(await external.fates()).toEqual({ accepted: 20, letters: 0 })
  // the same inode, as by copy and truncate; as long as before, and then longer
  await truncate(join(dir, 'a.ndjson'), 0)
  await writeFile(join(dir, 'a.ndjson'), lines(10, 20))
  await files.scan()
  await writeFile(join(dir, 'a.ndjson'), lines(30, 30))
  await files.scan()
  expect(await external.fates()).toEqual({ accepted: 60, letters: 0 })
  await rm(join(dir, 'a.1.ndjson'))
  await files.scan()
  expect(await external.storage.registry.externals.list('')).toHaveLength(1)
})

it('counts a record once that is in several files, by its id or by its content', async () => {
  await using external = await makeExternal()
  await writeFile(join(external.dir, 'a.ndjson'), line(0) + line(1, { event_id: 'own' }))
  await writeFile(join(external.dir, 'b.ndjson'), line(0) + line(1, { event_id: 'own', data: {} }) + line(2))
  await external.start().scan()
  expect(await external.fates()).toEqual({ accepted: 3, duplicate: 2, letters: 0 })
})

it('reports once what is wrong with a directory or file, and reads it once that is corrected', async () => {
  await using external = await makeExternal()
  const { dir, root, warnings } = external
  await mkdir(join(root, 'later'))
  await writeFile(join(root, 'later', 'a.ndjson'), line(0))
  await writeFile(join(dir, 'a.csv'), `ts,who\n${at / 1000},ann\n`)
  await writeFile(join(dir, 'b.ndjson.gz'), gzipSync(lines(1_000)).subarray(0, 2_000))
  const files = external.start()
  await files.scan()
  await files.scan()
  expect(warnings).toHaveLength(3)
  expect(warnings.join()).toMatch(/no app later.*no column "timestamp".*unexpected end of file/)
  await external.addApp('later')
  await writeFile(
    join(dir, 'mapping.json'),
    '{"timestamp": "ts", "timestamp_unit": "s", "user_id": "who", "name": "who"}',
  )
  await writeFile(join(dir, 'b.ndjson.gz'), gzipSync(''))
  await files.scan()
  expect((await external.events()).map(({ timestamp }) => timestamp)).toEqual([at, at])
  expect(warnings).toHaveLength(3)
})

it('reads no links, and continues behind a record that is too long', async () => {
  await using external = await makeExternal()
  await writeFile(join(external.root, 'secret'), line(5))
  await symlink(join(external.root, 'secret'), join(external.dir, 'a.ndjson'))
  await writeFile(join(external.dir, 'b.ndjson'), `${line(0)}"${'x'.repeat(3_000_000)}"\n${line(1)}`)
  await external.start().scan()
  expect(await external.fates()).toEqual({ accepted: 2, letters: 1 })
})

it('works in the background until it is closed', async () => {
  await using external = await makeExternal()
  const files = external.start()
  files.start(5)
  await writeFile(join(external.dir, 'a.ndjson'), lines(10))
  await expect.poll(() => external.counted['accepted'], { timeout: 15_000, interval: 5 }).toBe(10)
  await files.close()
  await utimes(join(external.dir, 'a.ndjson'), 0, 0)
  expect(await external.fates()).toEqual({ accepted: 10, letters: 0 })
})

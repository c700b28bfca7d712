import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import type { Event } from '@hopper/contracts'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { makeInstallation, RANGE, traffic } from '../testing/installation.fixture.ts'

const main = resolve(import.meta.dirname, '../main.ts')
const range = ['--from', RANGE.from, '--to', RANGE.to]
const [sample] = fc.sample(traffic, { numRuns: 20, seed: 11 }).filter((envelopes) => envelopes.length > 20)

/** Runs the command from its sources. */
async function hopper(dir: string, ...args: string[]): Promise<{ code: number; out: string; errors: string }> {
  const command = [
    '--conditions=source',
    '--disable-warning=ExperimentalWarning',
    main,
    ...args,
    '--data',
    dir,
    '--lanes',
    '2',
  ]
  // Leaves out the settings of the test run, but reuses the cache of compiled code.
  const env = { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }
  const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code] = (await once(child, 'close')) as [number]
  return { code, out, errors }
}

it('audits, repairs, rebuilds, exports and imports from the command line, and sets the exit code', async () => {
  await using installation = await makeInstallation()
  const { dir, storage, tables } = installation
  await storage.log.append(sample!)
  await installation.count()
  expect(await hopper(dir, 'audit')).toMatchObject({
    code: 2,
    errors: expect.stringContaining('in use by another Hopper') as string,
  })
  await storage.close()

  expect(await hopper(dir, 'audit')).toEqual({
    code: 0,
    out: 'No drift: every table equals its recount.\n',
    errors: '',
  })
  tables.exec('UPDATE activity_by_date SET events = events + 2')
  const rows = tables.prepare('SELECT count(*) AS n FROM activity_by_date').get()!.n as number
  const damaged = await hopper(dir, 'audit', ...range)
  expect(damaged.code).toBe(3)
  expect(damaged.out.split('\n')).toHaveLength(rows + 3)
  expect(damaged.out).toMatch(/^activity_by_date berlin 2026-03-2\d lane [01] hour=\d+: events is \d+, recounted \d+$/m)
  const repaired = expect.stringContaining(`${rows} rows differ, ${rows} of them repaired.`) as string
  expect(await hopper(dir, 'audit', ...range, '--repair')).toMatchObject({ code: 0, out: repaired })
  expect((await hopper(dir, 'audit', ...range)).code).toBe(0)
  const history = tables.prepare("SELECT record FROM registry WHERE kind = 'audit_run' ORDER BY id").all()
  expect(history.map(({ record }) => JSON.parse(record as string) as object)).toMatchObject([
    { state: 'finished', started_by: 'hopper audit', differing: 0 },
    { state: 'finished', from: RANGE.from, to: RANGE.to, differing: rows, repaired: 0 },
    { state: 'finished', differing: rows, repaired: rows },
    { state: 'finished', differing: 0 },
  ])

  tables.exec('DELETE FROM activity_by_date')
  expect(await hopper(dir, 'rebuild')).toMatchObject({
    code: 0,
    out: `${sample!.length} messages of the log are counted and archived again.\n`,
  })
  expect((await hopper(dir, 'audit', ...range)).code).toBe(0)

  const events = await hopper(dir, 'export', '--app', 'berlin')
  const csv = await hopper(dir, 'export', '--app', 'berlin', '--format', 'csv', ...range)
  const ids = events.out
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { event_id: string }).event_id)
  expect(new Set(ids)).toEqual(
    new Set(
      sample!.filter(({ app }) => app === 'berlin').flatMap((each) => each.events.map(({ event_id }) => event_id)),
    ),
  )
  // An id counts once per UTC date, and the date is that of the device's clock.
  const once = (events: readonly Event[]): Set<string> =>
    new Set(events.map((each) => `${each.event_id} ${Math.floor(each.timestamp / 86_400_000)}`))
  expect(ids).toHaveLength(once(sample!.filter(({ app }) => app === 'berlin').flatMap((each) => each.events)).size)
  expect(csv.out.trimEnd().split('\r\n')).toHaveLength(ids.length + 1)

  const [dump, other] = [join(dir, 'dump.ndjson.zst'), join(dir, 'other')]
  const all = `3 records and ${sample!.length} messages with`
  expect(await hopper(dir, 'export', '--all', '--out', dump)).toEqual({
    code: 0,
    out: '',
    errors: expect.stringContaining(`The dump contains ${all}`) as string,
  })
  expect(await hopper(other, 'import', dump)).toMatchObject({
    code: 0,
    out: expect.stringContaining(`Imported: ${all}`) as string,
  })
  const again = `${sample!.length} of the messages had been imported before.`
  expect(await hopper(other, 'import', dump)).toMatchObject({ code: 0, out: expect.stringContaining(again) as string })
  expect((await hopper(other, 'audit', ...range)).code).toBe(0)
  expect((await hopper(other, 'export', '--app', 'berlin', ...range)).out).toBe(events.out)
}, 240_000)

it('refuses contradictory arguments with exit code 2', async () => {
  await using installation = await makeInstallation()
  const { dir } = installation
  await installation.storage.close()
  const refused: [string[], string][] = [
    [['export'], 'Give either --app ID or --all'],
    [['export', '--all', '--from', '2026-01-01'], '--from and --to need --app'],
    [['export', '--app', 'nobody'], 'There is no app'],
    [['audit', '--from', '2026-02-30'], 'must be a date'],
    [['audit', '--from', '2026-02-02', '--to', '2026-02-01'], 'must not be after'],
    [['import', join(dir, 'none')], 'cannot be read'],
    [['export', '--app', 'berlin', '--partial'], '--partial needs --all'],
  ]
  for (const [args, message] of refused) {
    const { code, errors } = await hopper(dir, ...args)
    expect([code, errors]).toEqual([2, expect.stringContaining(message) as string])
  }
}, 120_000)

import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterEach, beforeEach, expect, it } from 'vitest'

const main = resolve(import.meta.dirname, '../../dist/main.js')
let dir: string
let data: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hopper-import-'))
  data = join(dir, 'data')
  const storage = await openEmbedded({ dir: data, lanes: 2 })
  const app = { id: 'shop', organization: 'acme', name: 'Shop', timezone: 'UTC', origins: [], keep_parameters: [] }
  await storage.registry.organizations.put('', 'acme', { id: 'acme', name: 'Acme' })
  await storage.registry.apps.put('acme', 'shop', app)
  await storage.close()
})
afterEach(() => rm(dir, { recursive: true }))

const args = (...more: string[]): string[] => [main, 'import', '--data', data, '--lanes', '2', ...more]

/** Runs the command; returns its exit code and all that it has printed. */
function run(...more: string[]): { code: number; output: string } {
  try {
    const output = execFileSync(process.execPath, args(...more), {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return { code: 0, output }
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string }
    return { code: status, output: stdout + stderr }
  }
}

async function fates(): Promise<Record<string, number>> {
  const storage = await openEmbedded({ dir: data, lanes: 2 })
  const dates = [Date.now() - 86_400_000, Date.now()].map((ms) => new Date(ms).toISOString().slice(0, 10))
  const rows = await storage.reader.counters('fates_by_date', 'shop', dates)
  await storage.close()
  return Object.fromEntries(rows.map(({ key, counters }) => [key.join(' '), counters[0]!]))
}

it('imports, counts and sums up; a rejected row is exit code 1 only with the option for it', async () => {
  const line = (n: number): string =>
    JSON.stringify({ event: 'n', properties: { time: 1_600_000_000 + n, distinct_id: 'd' } })
  const file = join(dir, 'export.json')
  await writeFile(file, `${line(0)}\n${line(1)}\nnot JSON\n`)
  const first = run('--from', 'mixpanel', file)
  expect(first).toMatchObject({ code: 0, output: expect.stringContaining('3 rows, 2 accepted, 1 rejected') as string })
  expect(first.output).toContain('row 3: not_an_object: It is not JSON')
  expect(await fates()).toEqual({ 'accepted historical': 2, 'rejected not_an_object': 1 })
  const again = run('--from', 'mixpanel', '--app', 'shop', '--strict', file)
  expect(again).toMatchObject({ code: 1, output: expect.stringContaining('had been imported before') as string })
  expect(await fates()).toEqual({ 'accepted historical': 2, 'rejected not_an_object': 1 })
})

it('refuses options that do not fit together, with exit code 2 and what to do', () => {
  const refusals: [string[], string][] = [
    [['--app', 'shop', 'x'], 'are for --from'],
    [['--from', 'excel', 'x'], 'Allowed choices are'],
    [['--from', 'csv', join(dir, 'none.csv')], 'cannot be read: ENOENT'],
    [['--from', 'csv', '--mapping', join(dir, 'none.json'), 'x'], 'The mapping'],
    [['--from', 'ndjson', '--app', 'nobody', main], 'there are: shop'],
  ]
  for (const [more, message] of refusals)
    expect([more, run(...more)]).toEqual([more, { code: 2, output: expect.stringContaining(message) as string }])
})

it('continues after a kill at any moment, and counts each event once', async () => {
  const file = join(dir, 'a.ndjson')
  const rows = 40_000
  const line = (n: number): string =>
    JSON.stringify({ name: 'n', device_id: `d${n}`, timestamp: 1_600_000_000_000 + n, data: { n } })
  await writeFile(file, Array.from({ length: rows }, (_, n) => line(n)).join('\n'))
  // Each is killed when the log has grown by some more messages, so in the middle of its work.
  for (const bytes of [100_000, 250_000]) {
    const child = spawn(process.execPath, args('--from', 'ndjson', file), { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.on('close', (_code, signal) => resolve(signal)))
    const timer = setInterval(() => void logBytes().then((size) => size > bytes && child.kill('SIGKILL')), 5)
    expect(await ended).toBe('SIGKILL')
    clearInterval(timer)
  }
  expect(run('--from', 'ndjson', file)).toMatchObject({ code: 0 })
  expect(await fates()).toEqual({ 'accepted historical': rows })
}, 120_000)

async function logBytes(): Promise<number> {
  const sizes = ['log.db', 'log.db-wal'].map((name) =>
    stat(join(data, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

import { spawn } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'

const main = resolve(import.meta.dirname, '../../dist/main.js')
const SOON = { timeout: 60_000, interval: 50 }

it('"hopper start --external" counts what others write to the directory of an app', async () => {
  await using stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'hopper-start-external-'))
  stack.defer(() => rm(dir, { recursive: true }))
  const files = join(dir, 'files', 'shop')
  await mkdir(files, { recursive: true })
  const apps = [{ id: 'shop', name: 'Shop', read_key: 'hr_shop_0123456789abcdef' }]
  await writeFile(join(dir, 'p.json'), JSON.stringify({ organizations: [{ id: 'acme', name: 'Acme', apps }] }))
  const options = ['--port', '0', '--data', join(dir, 'data'), '--provision', join(dir, 'p.json'), '--demo', 'false']
  const child = spawn(process.execPath, [main, 'start', ...options, '--external', join(dir, 'files')])
  const ended = new Promise((done) => child.on('close', done))
  stack.defer(async () => void (child.kill('SIGTERM'), await ended))
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => void (output += text.toString()))
  await expect.poll(() => output, SOON).toMatch(/ready at (http:\S+)/)
  const line = (n: number): string => `${JSON.stringify({ name: 'n', device_id: `d${n}`, timestamp: Date.now() })}\n`
  await appendFile(join(files, 'a.ndjson'), line(0) + line(1))
  const base = /ready at (http:\S+)/.exec(output)![1]!
  const headers = { authorization: 'Bearer hr_shop_0123456789abcdef' }
  const events = async (): Promise<number> => {
    const answer = await fetch(new URL('/api/v1/apps/shop/traffic?by=day', base), { headers })
    const { rows } = (await answer.json()) as { rows: { events: number }[] }
    return rows.reduce((sum, row) => sum + row.events, 0)
  }
  await expect.poll(events, SOON).toBe(2)
  await appendFile(join(files, 'a.ndjson'), line(2))
  await expect.poll(events, SOON).toBe(3)
  expect(await (await fetch(new URL('/metrics', base))).text()).toContain(
    'hopper_external_records_total{outcome="accepted"} 3',
  )
}, 180_000)

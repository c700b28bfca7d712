import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { EmbeddedEventLog } from '../embedded/log/event-log.ts'
import { firstSeen } from './numbered.fixture.ts'
import { SpooledLog, spoolDefaults } from './spooled-log.ts'
import { repetitions } from '../contract/repetitions.ts'

const DEVICES = 6
const PER_ROUND = 100_000

/** Runs the child until it has acknowledged about the given number, then kills it; adds what it acknowledged. */
async function sendAndKill(
  dir: string,
  round: number,
  when: 'durable' | 'called',
  about: number,
  acknowledged: Map<string, number[]>,
): Promise<void> {
  const script = join(import.meta.dirname, 'spooling-child.fixture.ts')
  const args = [
    '--conditions=source',
    '--disable-warning=ExperimentalWarning',
    script,
    dir,
    String(DEVICES),
    String(round * PER_ROUND),
    when,
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    if (output.length > about * 10) child.kill('SIGKILL')
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  expect({ code, errors }).toEqual({ code: null, errors: '' })
  // A line truncated by the kill is not an acknowledgement.
  for (const line of output.slice(0, output.lastIndexOf('\n')).split('\n')) {
    const [device, n] = line.split(' ') as [string, string]
    acknowledged.set(device, [...(acknowledged.get(device) ?? []), Number(n)])
  }
}

/**
 * Kills a spooling process repeatedly, then drains. Returns the acknowledged messages and those that the main log has.
 */
async function run(
  rounds: number,
  when: 'durable' | 'called',
): Promise<{ acknowledged: Map<string, number[]>; seen: Map<string, number[]> }> {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-spool-kill-'))
  try {
    const acknowledged = new Map<string, number[]>()
    for (let round = 0; round < rounds; round++) await sendAndKill(dir, round, when, 40 + 97 * round, acknowledged)
    const main = new EmbeddedEventLog(dir, 4)
    const spooled = await SpooledLog.open({ ...spoolDefaults, dir: join(dir, 'spool'), lanes: 4 }, async () => main)
    await vi.waitFor(() => expect(spooled.depth.direct).toBe(true), 20_000)
    const seen = await firstSeen(main)
    await spooled.close()
    return { acknowledged, seen }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const countLost = ({ acknowledged, seen }: Awaited<ReturnType<typeof run>>): number =>
  [...acknowledged].reduce(
    (sum, [device, numbers]) => sum + numbers.filter((n) => !seen.get(device)?.includes(n)).length,
    0,
  )

it('loses nothing acknowledged and keeps each device in order when killed repeatedly while spooling', async () => {
  const found = await run(repetitions(9), 'durable')
  expect([...found.acknowledged.values()].flat().length).toBeGreaterThan(200)
  expect(countLost(found)).toBe(0)
  for (const numbers of found.seen.values()) expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
}, 120_000)

it('control: acknowledging before durability loses some', async () => {
  expect(countLost(await run(3, 'called'))).toBeGreaterThan(0)
}, 60_000)

import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Envelope } from '@hopper/contracts'
import { afterAll, expect, it } from 'vitest'
import { DiskSpool } from './disk-spool.ts'

const LANES = 2
const root = mkdtempSync(join(tmpdir(), 'hopper-spool-damage-'))
afterAll(() => rmSync(root, { recursive: true }))
let dirs = 0

const noise = (): string => Array.from({ length: 1_000 }, () => Math.random().toString(36).slice(2)).join('')
const envelope = (index: number): Envelope => ({
  version: 1,
  app: 'a',
  device_id: `d${index}`,
  received_at: index,
  context: { device: 'unknown', browser: noise(), os: '' },
  events: [],
})
const open = (dir: string, acceptLoss = false): DiskSpool =>
  new DiskSpool({ dir, lanes: LANES, bytesMax: 1e9, acceptLoss })

/** A spool as a killed process leaves it: 20 envelopes were drained, 20 wait. */
async function spoolAndKill(): Promise<string> {
  const dir = join(root, `spool${dirs++}`)
  const spool = open(dir)
  for (let index = 0; index < 20; index++) await spool.append([envelope(index)])
  spool.forget(spool.peek(1e9))
  for (let index = 20; index < 40; index++) await spool.append([envelope(index)])
  const copy = join(root, `spool${dirs++}`)
  cpSync(dir, copy, { recursive: true })
  await spool.close()
  return copy
}

const waiting = (spool: DiskSpool): number[] =>
  spool
    .peek(1e9)
    .envelopes.map(({ received_at }) => received_at)
    .sort((a, b) => a - b)
const log = (dir: string): string => join(dir, '0', 'log.db')

it('control: drained envelopes are not lost, however often the spool opens, and positions never restart', async () => {
  const dir = await spoolAndKill()
  for (let time = 0; time < 2; time++) {
    const spool = open(dir)
    expect(waiting(spool)).toEqual(Array.from({ length: 20 }, (_, index) => 20 + index))
    await spool.close()
  }
  const emptied = open(dir)
  emptied.forget(emptied.peek(1e9))
  await emptied.close()
  const again = open(dir)
  expect(again.messages).toBe(0)
  await again.append([envelope(40)])
  expect(waiting(again)).toEqual([40])
  await again.close()
  const database = new DatabaseSync(log(dir), { readOnly: true })
  const firsts = [0, 1].flatMap((lane) =>
    database
      .prepare(`SELECT first FROM lane_${lane}`)
      .all()
      .map(({ first }) => Number(first)),
  )
  database.close()
  expect(firsts).toHaveLength(1)
  expect(firsts[0]).toBeGreaterThan(10)
})

const ways: readonly { readonly name: string; damage(file: string): void }[] = [
  {
    name: 'deleted',
    damage: (file) => ['', '-wal', '-shm'].forEach((suffix) => rmSync(file + suffix, { force: true })),
  },
  { name: 'emptied', damage: (file) => ['', '-wal'].forEach((suffix) => truncateSync(file + suffix, 0)) },
  { name: 'without its WAL', damage: (file) => rmSync(`${file}-wal`) },
  { name: 'with a WAL that was cut', damage: (file) => truncateSync(`${file}-wal`, statSync(`${file}-wal`).size - 20) },
  { name: 'with a WAL of zeros', damage: (file) => writeFileSync(`${file}-wal`, Buffer.alloc(200_000)) },
  {
    name: 'that is no database',
    damage: (file) => {
      writeFileSync(file, 'x'.repeat(10_000))
      rmSync(`${file}-wal`)
    },
  },
  {
    name: 'with a block that was changed',
    damage: (file) => {
      const database = new DatabaseSync(file)
      database.exec(
        "UPDATE lane_0 SET block = CAST(substr(block, 1, 300) || x'00' || substr(block, 302) AS BLOB) " +
          'WHERE first = (SELECT max(first) FROM lane_0)',
      )
      database.close()
    },
  },
]

it.each(ways)(
  'a spool $name is refused; once accepted, it continues with the rest and records the loss',
  async ({ damage }) => {
    const dir = await spoolAndKill()
    damage(log(dir))
    expect(() => open(dir)).toThrow(
      expect.objectContaining({ code: 'HOP_DATA_DAMAGED', message: expect.stringMatching(/log\.db.*--accept-loss/) }),
    )
    const spool = open(dir, true)
    const left = waiting(spool)
    expect(left.length).toBeLessThan(20)
    const lost = readFileSync(join(dir, '0', 'losses.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .flatMap((line) => (JSON.parse(line) as { lost?: { first: number; next: number }[] }).lost ?? [])
    expect(lost.reduce((sum, { first, next }) => sum + next - first, 0)).toBeGreaterThanOrEqual(20 - left.length)
    await spool.append([envelope(40)])
    expect(waiting(spool)).toEqual([...left, 40])
    await spool.close()
    await open(dir).close()
  },
)

it('names the file and block when the disk corrupts it at run time, and accepts further appends', async () => {
  const dir = join(root, `spool${dirs++}`)
  const spool = open(dir)
  await spool.append([envelope(1)])
  const database = new DatabaseSync(log(dir))
  for (const lane of [0, 1])
    database.exec(`UPDATE lane_${lane} SET block = CAST(substr(block, 1, 300) || x'00' || substr(block, 302) AS BLOB)`)
  database.close()
  expect(() => spool.peek(1e9)).toThrow(
    expect.objectContaining({ code: 'HOP_DATA_DAMAGED', message: expect.stringContaining(log(dir)) }),
  )
  await spool.append([envelope(2)])
  await spool.close()
})

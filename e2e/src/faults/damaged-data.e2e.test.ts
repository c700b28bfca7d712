import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  cpSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../installations/until.ts'
import { apps, provision } from './apps.fixture.ts'
import { sendUntilAcknowledged } from '../traffic/send-until-acknowledged.ts'
import { randomTraffic, type RandomRequest } from '../traffic/random-traffic.ts'
import { Service } from '../installations/service.ts'

const main = resolve(import.meta.dirname, '../../../cli/dist/main.js')
const root = mkdtempSync(join(tmpdir(), 'hopper-damaged-'))
const provisionFile = join(root, 'hopper.json')
const intact = join(root, 'intact')
const older = join(root, 'older')
/** A frame of a WAL: a header of 24 bytes and a page (https://www.sqlite.org/fileformat2.html#walformat). */
const FRAME_BYTES = 24 + 4_096
const TORN_BYTES = 1_000
const env = { HOPPER_LOG_LEVEL: 'warn', HOPPER_DEMO: 'false' }
let events = 0
let copies = 0
const services: Service[] = []

/** Sends traffic to the Hopper of a directory, and stops it. */
async function fill(dir: string, seed: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<number> {
  const service = await open(dir)
  const traffic = randomTraffic({ devices: 60, eventsPerDevice: 20, seed, now: Date.now() })
  await send(service, traffic)
  await service.stop(signal)
  return traffic.flat().reduce((sum, request) => sum + request.events.length, 0)
}

async function send(service: Service, traffic: readonly (readonly RandomRequest[])[]): Promise<void> {
  await Promise.all(
    traffic.map(async (requests) => {
      for (const request of requests) await sendUntilAcknowledged(service.url, apps.tested.write, request)
    }),
  )
}

async function open(dir: string, ...args: string[]): Promise<Service> {
  const service = await Service.of('start', ['--data', dir, '--provision', provisionFile, ...args], env)
  services.push(service)
  await service.start()
  return service
}

/** Starts a Hopper that should refuse to run; returns its exit code and its output. */
async function refusal(dir: string): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [main, 'start', '--port', '0', '--data', dir, '--provision', provisionFile], {
    env: { ...process.env, ...env },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await once(child, 'close')
  return { code: child.exitCode, said }
}

function copyOf(dir: string): string {
  const copy = join(root, `copy${copies++}`)
  cpSync(dir, copy, { recursive: true })
  return copy
}

/** Returns the number of events in the tables, of every fate. */
async function countedEvents(service: Service): Promise<number> {
  const headers = { authorization: `Bearer ${apps.tested.read}` }
  await until(async () => {
    const status = (await (await fetch(`${service.url}/api/v1/status`, { headers })).json()) as {
      lanes: { lag: number }[]
    }
    return status.lanes.every(({ lag }) => lag === 0)
  }, 60_000)
  const { fates } = (await (await fetch(`${service.url}/api/v1/status`, { headers })).json()) as {
    fates: { events: number }[]
  }
  return fates.reduce((sum, each) => sum + each.events, 0)
}

beforeAll(async () => {
  writeFileSync(provisionFile, JSON.stringify(provision))
  events = await fill(intact, 1, 'SIGTERM')
  cpSync(intact, older, { recursive: true })
  // The last events are acknowledged but may not be counted, and the write-ahead logs are not in the databases.
  events += await fill(intact, 2, 'SIGKILL')
}, 120_000)

afterAll(async () => {
  await Promise.all(services.map((service) => service.stop('SIGKILL')))
  rmSync(root, { recursive: true, force: true })
})

it('control: the data of a killed process starts and counts every event', async () => {
  const service = await open(copyOf(intact))
  expect(await countedEvents(service)).toBe(events)
  await service.stop('SIGTERM')
}, 60_000)

it.each(['log.db', 'tables.db'])(
  'a torn record at the end of the WAL of %s, which nothing acknowledged, is ignored: every event is counted',
  async (file) => {
    const dir = copyOf(intact)
    const wal = join(dir, `${file}-wal`)
    const complete = readFileSync(wal)
    // the header of a frame that no commit follows, and a part of its page
    appendFileSync(wal, complete.subarray(-FRAME_BYTES).subarray(0, TORN_BYTES))
    const service = await open(dir)
    expect(await countedEvents(service)).toBe(events)
    await service.stop('SIGTERM')
  },
  60_000,
)

const remove = (dir: string, ...names: string[]): void =>
  names.forEach((name) => rmSync(join(dir, name), { force: true }))
/** each kind of damage, and whether every event can still be counted */
const ways: readonly {
  readonly name: string
  readonly file: string
  readonly loses: boolean
  damage(dir: string): void
}[] = [
  {
    name: 'log.db removed',
    file: 'log.db',
    loses: true,
    damage: (dir) => remove(dir, 'log.db', 'log.db-wal', 'log.db-shm'),
  },
  {
    name: 'log.db emptied',
    file: 'log.db',
    loses: true,
    damage: (dir) => (remove(dir, 'log.db-wal'), truncateSync(join(dir, 'log.db'), 0)),
  },
  {
    name: 'the WAL of the log cut',
    file: 'log.db',
    loses: true,
    damage: (dir) => truncateSync(join(dir, 'log.db-wal'), Math.floor(statSync(join(dir, 'log.db-wal')).size / 3)),
  },
  {
    name: 'the log older',
    file: 'log.db',
    loses: true,
    damage: (dir) => (remove(dir, 'log.db-wal'), copyFileSync(join(older, 'log.db'), join(dir, 'log.db'))),
  },
  {
    name: 'tables.db removed',
    file: 'tables.db',
    loses: false,
    damage: (dir) => remove(dir, 'tables.db', 'tables.db-wal', 'tables.db-shm'),
  },
]

it.each(ways)(
  '$name: the start exits with 4 and names the file; with --accept-loss later events are counted',
  async ({ file, loses, damage }) => {
    const dir = copyOf(intact)
    damage(dir)
    const { code, said } = await refusal(dir)
    expect(code, said).toBe(4)
    expect(said).toContain('HOP_DATA_DAMAGED')
    expect(said).toContain(file)
    expect(said).toContain('--accept-loss')

    const service = await open(dir, '--accept-loss')
    const before = await countedEvents(service)
    if (loses) expect(before).toBeLessThanOrEqual(events)
    else expect(before).toBe(events)
    expect(readFileSync(join(dir, 'losses.jsonl'), 'utf8')).toContain(file)
    const later = randomTraffic({ devices: 40, eventsPerDevice: 10, seed: 3, now: Date.now() })
    await send(service, later)
    expect(await countedEvents(service)).toBe(
      before + later.flat().reduce((sum, request) => sum + request.events.length, 0),
    )
    await service.stop('SIGTERM')
    // Accepted once: the next start needs no flag.
    const again = await open(dir)
    await again.stop('SIGTERM')
  },
  90_000,
)

it('a page of tables.db that breaks while running is named in the log', async () => {
  const dir = copyOf(intact)
  const service = await open(dir)
  await countedEvents(service)
  await service.stop('SIGTERM')
  const path = join(dir, 'tables.db')
  const database = new DatabaseSync(path, { readOnly: true })
  const { rootpage } = database.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'clicks_by_date'").get() as {
    rootpage: number
  }
  database.close()
  const running = await open(dir)
  const bytes = Buffer.alloc(4_096, 0xa7)
  const descriptor = openSync(path, 'r+')
  writeSync(descriptor, bytes, 0, bytes.length, (rootpage - 1) * 4_096)
  closeSync(descriptor)
  const answer = await fetch(`${running.url}/api/v1/apps/${apps.tested.id}/clicks`, {
    headers: { authorization: `Bearer ${apps.tested.read}` },
  })
  expect(answer.status).toBe(503)
  expect(running.output).toContain(path)
  expect(running.output).toContain('malformed')
  await running.stop('SIGKILL')
}, 60_000)

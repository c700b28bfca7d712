import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { Service } from '../installations/service.ts'
import { until } from '../installations/until.ts'
import { apps, provision } from './apps.fixture.ts'
import { read } from './reads.fixture.ts'

const run = promisify(execFile)
const root = mkdtempSync(join(tmpdir(), 'hopper-disk-'))
const mounted: string[] = []
const services: Service[] = []
const env = { HOPPER_LOG_LEVEL: 'warn', HOPPER_DEMO: 'false' }
const WAIT_TIMEOUT_MS = 30_000
const SMALL = '12m'
const LARGE = '200m'
const FAILING_BYTES = 200_000_000
/** Messages of SQLite: they differ for a write and a sync that fails. */
const REASON = /read-?only|disk I\/O error/
const EVENTS = 200

const succeeds = (program: string, args: readonly string[]): Promise<boolean> =>
  run(program, args).then(
    () => true,
    () => false,
  )

/** Mounts a separate file system; undefined where this user may not mount one. */
async function mountedDisk(name: string, ...args: string[]): Promise<string | undefined> {
  const dir = join(root, name)
  mkdirSync(dir)
  if (!(await succeeds('mount', [...args, dir]))) return undefined
  mounted.push(dir)
  return dir
}

/** A disk that the kernel makes read-only at its first error. */
interface FailingDisk {
  readonly dir: string
  fail(): void
  repair(): Promise<void>
}

/** Mounts an ext4 file system of a file; undefined where that cannot be done. */
async function failingDisk(): Promise<FailingDisk | undefined> {
  const image = join(root, 'image')
  writeFileSync(image, '')
  truncateSync(image, FAILING_BYTES)
  if (!(await succeeds('mkfs.ext4', ['-q', image]))) return undefined
  const options = ['-o', 'loop,errors=remount-ro', image]
  const dir = await mountedDisk('failing', ...options)
  if (dir === undefined) return undefined
  const device = basename((await run('findmnt', ['-n', '-o', 'SOURCE', dir])).stdout.trim())
  const trigger = `/sys/fs/ext4/${device}/trigger_fs_error`
  if (!existsSync(trigger)) return undefined
  return {
    dir,
    fail: () => writeFileSync(trigger, '1'),
    repair: async () => {
      await run('umount', [dir])
      // 1: errors were corrected
      await run('fsck.ext4', ['-y', image]).catch((error: { code: number }) => expect(error.code).toBe(1))
      await run('mount', [...options, dir])
    },
  }
}

const disk = await mountedDisk('standalone', '-t', 'tmpfs', '-o', `size=${SMALL}`, 'tmpfs')
const failing = await failingDisk()
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop('SIGKILL')))
  for (const dir of mounted) await run('umount', [dir])
  rmSync(root, { recursive: true, force: true })
})

/** Prepares a Hopper whose data are on a disk. */
async function open(dir: string): Promise<Service> {
  const file = join(root, 'hopper.json')
  writeFileSync(file, JSON.stringify(provision))
  const service = await Service.of('start', ['--data', join(dir, 'data'), '--provision', file], env)
  services.push(service)
  return service
}

/** Sends incompressible events; returns the status. */
async function send(service: Service, request: number): Promise<number> {
  const events = Array.from({ length: EVENTS }, (_, index) => ({
    type: 'custom',
    name: `n${index % 9}`,
    event_id: `${request}-${index}`,
    timestamp: Date.now(),
    data: { note: noise() },
  }))
  const headers = { 'content-type': 'application/json', 'x-api-key': apps.tested.write }
  const answer = await fetch(`${service.url}/v1/events`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ device_id: `d${request % 50}`, events }),
  })
  await answer.text()
  return answer.status
}

const noise = (): string => Array.from({ length: 30 }, () => Math.random().toString(36).slice(2)).join('')

async function statusOf(service: Service): Promise<{ lag: number; events: number }> {
  const answer = await fetch(`${service.url}/api/v1/status`, {
    headers: { authorization: `Bearer ${apps.tested.read}` },
  })
  const { lanes, fates } = (await answer.json()) as { lanes: { lag: number }[]; fates: { events: number }[] }
  return {
    lag: lanes.reduce((sum, { lag }) => sum + lag, 0),
    events: fates.reduce((sum, { events }) => sum + events, 0),
  }
}

describe.skipIf(!disk)('a full disk', () => {
  it('refuses events with 503 and the reason, still answers, and counts acknowledged events afterwards', async () => {
    const service = await open(disk!)
    await service.start()

    let acknowledged = 0
    let request = 0
    for (let refused = 0; refused < 5; request++) {
      const status = await send(service, request)
      if (status === 202) acknowledged += EVENTS
      else expect([429, 503]).toContain(status)
      if (status === 503) refused++
      if (status === 429) await new Promise((next) => setTimeout(next, 500))
    }
    expect(acknowledged).toBeGreaterThan(0)
    await until(async () => (await fetch(`${service.url}/ready`)).status === 503, WAIT_TIMEOUT_MS)
    expect(await (await fetch(`${service.url}/ready`)).text()).toMatch(/full/)
    expect(service.output).toMatch(/full/)
    expect(await read(service.url, `/api/v1/apps/${apps.tested.id}/traffic`, apps.tested.read)).toMatchObject({
      status: 200,
    })
    expect(await read(service.url, '/healthcheck', apps.tested.read)).toMatchObject({ status: 200 })

    await run('mount', ['-o', `remount,size=${LARGE}`, disk!])
    await until(async () => (await send(service, request++)) === 202, WAIT_TIMEOUT_MS)
    acknowledged += EVENTS
    await until(async () => (await statusOf(service)).lag === 0, WAIT_TIMEOUT_MS)
    expect((await statusOf(service)).events).toBe(acknowledged)
    await until(async () => (await fetch(`${service.url}/ready`)).status === 200, WAIT_TIMEOUT_MS)
    expect(await service.stop('SIGTERM')).toBe(0)
  }, 180_000)
})

describe.skipIf(!failing)('a disk that becomes read-only', () => {
  it('refuses events with 503 and the reason, answers, and has every acknowledged event when repaired', async () => {
    const service = await open(failing!.dir)
    await service.start()
    const acknowledged = new Set<number>()
    for (let index = 0; index < 20; index++) if ((await send(service, index)) === 202) acknowledged.add(index)
    expect(acknowledged.size).toBe(20)

    failing!.fail()
    await until(async () => (await send(service, 20)) === 503, WAIT_TIMEOUT_MS)
    await until(async () => (await fetch(`${service.url}/ready`)).status === 503, WAIT_TIMEOUT_MS)
    expect(await (await fetch(`${service.url}/ready`)).text()).toMatch(REASON)
    expect(service.output).toMatch(REASON)
    for (let index = 21; index < 30; index++) expect(await send(service, index)).toBe(503)
    expect(await read(service.url, `/api/v1/apps/${apps.tested.id}/traffic`, apps.tested.read)).toMatchObject({
      status: 200,
    })
    expect(await service.stop('SIGKILL')).toBe('SIGKILL')

    await failing!.repair()
    await service.start()
    await until(async () => (await statusOf(service)).lag === 0, WAIT_TIMEOUT_MS)
    expect((await statusOf(service)).events).toBe(acknowledged.size * EVENTS)
    expect(await send(service, 30)).toBe(202)
    await until(async () => (await statusOf(service)).events === (acknowledged.size + 1) * EVENTS, WAIT_TIMEOUT_MS)
    expect(await service.stop('SIGTERM')).toBe(0)
  }, 180_000)
})

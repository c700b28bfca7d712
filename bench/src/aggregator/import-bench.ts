import { fork, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Envelope, Event } from '@hopper/contracts'
import { cluster, whenCounted, standalone, type Installation } from '@hopper/e2e'
import { withLog, type Storage } from '@hopper/storage'
import { cassandraDefaults, migrate, openCassandra } from '@hopper/storage/cassandra'
import { openEmbedded } from '@hopper/storage/embedded'
import { KafkaEventLog, kafkaDefaults } from '@hopper/storage/kafka'
import type { ImportNews, ImportTarget } from './import-process-main.ts'
import { putApp } from '../harness/bench-app.ts'
import { withOwnEngines, type OwnEngines } from '../harness/own-engines.ts'
import { peakMegabytesOf } from '../harness/process-usage.ts'

const LANES = 8
const DATES = 400
const EVENTS_PER_ENVELOPE = 10
const DAY_MS = 86_400_000
const PAUSE_MS = 8_000
const PAGES = 500
const COUNT_MS_MAX = 1_800_000
const PEAK_MB_MAX = 400
const RATE_MIN = { cluster: 30_000, standalone: 15_000 } as const
const APP = 'import'
const keys = { write: 'hw_bench_0123456789abcdef', read: 'hr_bench_0123456789abcdef' }
const provision = {
  organizations: [
    { id: 'o', name: 'O', apps: [{ id: APP, name: 'I', timezone: 'UTC', write_key: keys.write, read_key: keys.read }] },
  ],
}
const env = { HOPPER_LOG_LEVEL: 'warn', HOPPER_DEMO: 'false' }
const cli = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url))

type Way = keyof typeof RATE_MIN

/** The size of the bench. */
export interface ImportSize {
  readonly events: number
  /** days of the demo */
  readonly days: number
}

/**
 * Measures the speed and the resources of counting two loads: a year of the demo shop through an installation, and
 * events of 400 dates in random order from a log.
 */
export async function importBench({ events, days }: ImportSize = { events: 5_000_000, days: 365 }): Promise<void> {
  await demo('standalone', await standalone({ provision, env }), days)
  await shuffledStandalone(events)
  await withOwnEngines(async (engines) => {
    await demo('cluster', await cluster(engines, { provision, env }), days)
    await shuffledCluster(engines, events)
  })
}

async function demo(way: Way, installation: Installation, days: number): Promise<void> {
  try {
    await installation.start()
    const services = installation.services.filter(({ name }) =>
      ['start', 'aggregator'].some((part) => name.startsWith(part)),
    )
    const idle = Math.max(...services.map(({ pid }) => peakMegabytesOf(pid!)))
    const args = [cli, 'load', '--demo', '--url', installation.ingestUrl, '--key', keys.write, '--days', String(days)]
    const [code] = (await once(spawn(process.execPath, args, { stdio: 'ignore' }), 'exit')) as [number]
    if (code !== 0) throw new Error(`the demo ended with ${code}`)
    await whenCounted(installation, keys.read, COUNT_MS_MAX)
    reportPeak(`the demo of ${days} days, ${way}`, Math.max(...services.map(({ pid }) => peakMegabytesOf(pid!))) - idle)
  } finally {
    await installation.dispose()
  }
}

async function shuffledStandalone(events: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-import-'))
  try {
    const storage = await openEmbedded({ dir, lanes: LANES })
    await fill(storage, events)
    await storage.close()
    await count('standalone', { dir, lanes: LANES }, events)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function shuffledCluster({ kafka, cassandra, dataCenter }: OwnEngines, events: number): Promise<void> {
  const name = `bench_${randomBytes(6).toString('hex')}`
  const [brokers, contactPoints] = [[kafka], [cassandra]]
  const settings = { ...cassandraDefaults, contactPoints, dataCenter, keyspace: name }
  await migrate(settings)
  const log = await new KafkaEventLog({ ...kafkaDefaults, brokers, lanes: LANES, topic: name, group: name }).connect()
  const storage = withLog(await openCassandra(settings, LANES), log)
  await fill(storage, events)
  await storage.close()
  await count('cluster', { brokers, contactPoints, dataCenter, name, lanes: LANES }, events)
}

/** Visits of many devices in random order of time. */
async function fill({ log, registry }: Pick<Storage, 'log' | 'registry'>, events: number): Promise<void> {
  await putApp(registry, APP)
  const now = Date.now()
  for (let left = events; left > 0;) {
    const some: Envelope[] = []
    for (; some.length < 1_000 && left > 0; left -= EVENTS_PER_ENVELOPE)
      some.push(envelopeOf(now, Math.min(left, EVENTS_PER_ENVELOPE)))
    await log.append(some)
  }
}

/** One visit, at a random time of these dates. Of its 500 pages, few are viewed often, as on any site. */
function envelopeOf(now: number, count: number): Envelope {
  const [session_id, startedAt] = [randomUUID(), now - Math.floor(Math.random() * DATES * DAY_MS)]
  const events = Array.from({ length: count }, (_, seq): Event => {
    const base = { event_id: randomUUID(), timestamp: startedAt + seq * PAUSE_MS, seq, session_id }
    const page = `https://shop.example/products/${Math.floor(PAGES ** Math.random())}`
    return seq % 2 === 0
      ? { ...base, type: 'url_change', from: 'https://shop.example/', to: page, elapsed_time: 4_200 }
      : {
          ...base,
          type: 'custom',
          name: 'order',
          data: { price: Math.floor(Math.random() * 10_000), country: 'DE', items: seq },
        }
  })
  const context: Envelope['context'] = { device: 'desktop', browser: 'Chrome', os: 'Linux', historical: true }
  return { version: 1, app: APP, device_id: randomUUID(), received_at: now, context, events }
}

async function count(way: Way, target: ImportTarget, events: number): Promise<void> {
  const child = fork(new URL('./import-process-main.js', import.meta.url), [JSON.stringify(target)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  try {
    await once(child, 'message')
    const idle = peakMegabytesOf(child.pid!)
    const startedAt = performance.now()
    child.send('begin')
    await allCounted(child, events)
    const rate = (events / (performance.now() - startedAt)) * 1_000
    const peak = peakMegabytesOf(child.pid!) - idle
    const what = `${events} events of ${DATES} dates in no order, ${way}`
    const reached = rate >= RATE_MIN[way]
    if (!reached) process.exitCode = 1
    console.log(`  ${what}: ${Math.round(rate)} events/s, bar ${RATE_MIN[way]} ${reached ? 'reached' : 'NOT REACHED'}`)
    reportPeak(what, peak)
  } finally {
    child.kill()
    await once(child, 'exit')
  }
}

function allCounted(child: ChildProcess, events: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let sum = 0
  const end = setTimeout(() => reject(new Error(`only ${sum} of ${events} events are counted`)), COUNT_MS_MAX)
  child.on('message', (news: ImportNews) => {
    if (news === 'ready') return
    sum += news.counted
    if (sum >= events) resolve()
  })
  child.on('exit', (code) => reject(new Error(`the aggregator ended with ${code}`)))
  return promise.finally(() => clearTimeout(end))
}

function reportPeak(what: string, megabytes: number): void {
  const reached = megabytes <= PEAK_MB_MAX
  if (!reached) process.exitCode = 1
  console.log(
    `  ${what}: peak ${Math.round(megabytes)} MB above idle, ` +
      `bar ${PEAK_MB_MAX} MB ${reached ? 'reached' : 'NOT REACHED'}`,
  )
}

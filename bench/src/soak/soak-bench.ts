import { setTimeout as pause } from 'node:timers/promises'
import { cluster, sendUntilAcknowledged, standalone, whenCounted, type Installation } from '@hopper/e2e'
import { withOwnEngines } from '../harness/own-engines.ts'
import { median } from '../harness/paired.ts'
import { megabytesOf } from '../harness/process-usage.ts'
import { unlimitedApp, unlimitedInstallation } from '../harness/unlimited-app.ts'
import { faultsOf, frozen, type Fault } from './soak-faults.ts'
import { SoakTraffic } from './soak-traffic.ts'

const SENDERS = 16
const FULL_LOAD_MS = 20_000
const COUNTED_MS_MAX = 600_000
const FAULT_INTERVAL_MS = 20_000
const SAMPLE_MS = 1_000
/** Growth of memory from half of the time to the end that is noise of garbage collection. */
const GROWTH_MAX = 1.15
const GROWTH_MEGABYTES_MAX = 40

/** A shorter soak cannot tell growth from the warm-up of a process. */
const MINUTES_FOR_MEMORY = 10

/** Resident megabytes of each process, one sample per second. */
type Samples = Map<string, number[]>

/** Soaks both kinds of installation; see `standaloneSoak`. */
export async function soakBench(minutes = 20): Promise<void> {
  await standaloneSoak(minutes)
  await clusterSoak(minutes)
}

/**
 * Sends at half of the load that this machine counts, for the given time, while processes are killed,
 * ended and frozen; those that end a process only in the first half of the time, so that a leak would show in the
 * second. Ends with an error unless every report equals what was sent, the audit finds no drift, and memory is flat.
 */
export async function standaloneSoak(minutes = 20): Promise<void> {
  const alone = await standalone(unlimitedInstallation)
  await soak('standalone', alone, minutes, faultsOf(alone.services[0]!))
}

/** Does the same on a cluster, whose engines are frozen, too. */
export async function clusterSoak(minutes = 20): Promise<void> {
  await withOwnEngines(async (engines) => {
    const many = await cluster(engines, { ...unlimitedInstallation, aggregators: 2 })
    const names = many.services.map(({ name }, index) => (name === 'aggregator' ? `${name} ${index}` : name))
    await soak('cluster', many, minutes, [
      ...many.services.flatMap((service, index) => faultsOf(service, names[index])),
      frozen('kafka', () => engines.kafkaPid),
      frozen('cassandra', () => engines.cassandraPid),
    ])
  })
}

async function soak(way: string, installation: Installation, minutes: number, faults: readonly Fault[]): Promise<void> {
  try {
    await installation.start()
    const traffic = new SoakTraffic()
    const perSecond = (await fullLoad(installation, traffic)) / 2
    console.log(`  ${way}: half load is ${Math.round(perSecond)} events/s`)
    const startedAt = performance.now()
    const endsAt = startedAt + minutes * 60_000
    const [refused, struck, samples] = await Promise.all([
      sendAt(perSecond, installation, traffic, endsAt),
      strike(faults, startedAt, endsAt),
      sampleMemory(installation, startedAt + (endsAt - startedAt) / 2, endsAt),
    ])
    await whenCounted(installation, unlimitedApp.read, COUNTED_MS_MAX)
    const wrong = await traffic.differences(installation, unlimitedApp.id, unlimitedApp.read)
    await installation.stop('SIGTERM')
    const audit = await installation.run(['audit'])
    if (!audit.includes('No drift')) wrong.push(`audit: ${audit}`)
    report(way, traffic.events, refused, struck, wrong)
    if (minutes >= MINUTES_FOR_MEMORY) reportMemory(way, samples)
    else console.log(`  ${way}: too short to judge memory`)
  } finally {
    await installation.dispose()
  }
}

/** Returns the events per second that are acknowledged and counted when senders do not pause. */
async function fullLoad(installation: Installation, traffic: SoakTraffic): Promise<number> {
  const startedAt = performance.now()
  await sendAt(Infinity, installation, traffic, startedAt + FULL_LOAD_MS)
  await whenCounted(installation, unlimitedApp.read, COUNTED_MS_MAX)
  return (traffic.events * 1_000) / (performance.now() - startedAt)
}

/** Sends at a rate until a point in time, each request until it is acknowledged; returns how often it was refused. */
async function sendAt(
  perSecond: number,
  installation: Installation,
  traffic: SoakTraffic,
  endsAt: number,
): Promise<number> {
  const startedAt = performance.now()
  const before = traffic.events
  let refused = 0
  const sender = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const aheadMs = ((traffic.events - before) / perSecond) * 1_000 - (performance.now() - startedAt)
      if (aheadMs > 0) await pause(aheadMs)
      else refused += await sendUntilAcknowledged(installation.ingestUrl, unlimitedApp.write, traffic.next())
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, sender))
  return refused
}

/** Lets one fault after the other strike; those that end a process only in the first half of the time. */
async function strike(faults: readonly Fault[], startedAt: number, endsAt: number): Promise<string[]> {
  const half = startedAt + (endsAt - startedAt) / 2
  const struck: string[] = []
  for (let index = 0; performance.now() + FAULT_INTERVAL_MS < endsAt; index++) {
    await pause(FAULT_INTERVAL_MS)
    const possible = faults.filter(({ ends }) => !ends || performance.now() < half)
    const fault = possible[index % possible.length]!
    await fault.strike()
    struck.push(fault.name)
  }
  return struck
}

async function sampleMemory(installation: Installation, from: number, endsAt: number): Promise<Samples> {
  const samples: Samples = new Map()
  await pause(from - performance.now())
  while (performance.now() < endsAt) {
    for (const [index, { name, pid }] of installation.services.entries()) {
      const megabytes = megabytesOf(pid!)
      const key = `${name} ${index}`
      if (megabytes !== undefined) samples.set(key, [...(samples.get(key) ?? []), megabytes])
    }
    await pause(SAMPLE_MS)
  }
  return samples
}

function report(
  way: string,
  events: number,
  refused: number,
  struck: readonly string[],
  wrong: readonly string[],
): void {
  const count = `${events} events, ${struck.length} faults, ${refused} requests repeated`
  console.log(`  ${way}: ${count}; ${wrong.length === 0 ? 'every number and the audit are right' : 'WRONG NUMBERS'}`)
  for (const line of wrong.slice(0, 20)) console.log(`    ${line}`)
  for (const name of new Set(struck)) console.log(`    ${struck.filter((one) => one === name).length} x ${name}`)
  if (wrong.length > 0) process.exitCode = 1
}

function reportMemory(way: string, samples: Samples): void {
  for (const [name, all] of samples) {
    const fifth = Math.ceil(all.length / 5)
    const early = median(all.slice(0, fifth))
    const late = median(all.slice(-fifth))
    const flat = late <= Math.max(early * GROWTH_MAX, early + GROWTH_MEGABYTES_MAX)
    if (!flat) process.exitCode = 1
    console.log(
      `  ${way}, ${name}: ${Math.round(early)} MB after half of the time, ${Math.round(late)} MB at the end: ` +
        (flat ? 'flat' : 'GROWS'),
    )
  }
}

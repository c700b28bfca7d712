import { cluster, whenCounted, standalone, type Installation } from '@hopper/e2e'
import autocannon from 'autocannon'
import { bodies, userAgent } from '../harness/bodies.ts'
import { withOwnEngines } from '../harness/own-engines.ts'
import { peakMegabytesOf } from '../harness/process-usage.ts'
import { unlimitedApp, unlimitedInstallation } from '../harness/unlimited-app.ts'

const EVENTS = 50
const REQUESTS = 4_000
const BAR = 0.1

/**
 * Measures the peak resident memory of each process after the same load: standalone, and a cluster with its engines
 * (from jars, heaps of 768 and 384 MB).
 */
export async function memoryBench(): Promise<void> {
  const alone = await underLoad(await standalone(unlimitedInstallation))
  await withOwnEngines(async (engines) => {
    const services = await underLoad(await cluster(engines, unlimitedInstallation))
    const all = {
      kafka: peakMegabytesOf(engines.kafkaPid),
      cassandra: peakMegabytesOf(engines.cassandraPid),
      ...services,
    }
    const sum = Object.values(all).reduce((total, each) => total + each, 0)
    for (const [name, megabytes] of [...Object.entries(alone), ...Object.entries(all)])
      console.log(`  ${name}: ${Math.round(megabytes)} MB`)
    const ratio = alone.start! / sum
    console.log(
      `memory, standalone : Kafka + Cassandra + services: ratio ${ratio.toFixed(2)}, ` +
        `bar at most ${BAR.toFixed(2)} ${ratio <= BAR ? 'reached' : 'NOT REACHED'}`,
    )
  })
}

async function underLoad(installation: Installation): Promise<Record<string, number>> {
  try {
    await installation.start()
    const result = await autocannon({
      url: `${installation.ingestUrl}/v1/events?key=${unlimitedApp.write}`,
      connections: 16,
      amount: REQUESTS,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': userAgent },
      requests: bodies(200, EVENTS).map((body) => ({ body })),
    })
    if (result['2xx'] !== REQUESTS) throw new Error(`${result['2xx']} of ${REQUESTS} requests acknowledged`)
    await whenCounted(installation, unlimitedApp.read, 300_000)
    return Object.fromEntries(installation.services.map(({ name, pid }) => [name, peakMegabytesOf(pid!)]))
  } finally {
    await installation.dispose()
  }
}

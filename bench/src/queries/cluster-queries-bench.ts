import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FunnelResult } from '@hopper/contracts'
import { cluster, Service, type Cluster } from '@hopper/e2e'
import { cpuByPart } from '../harness/cpu-profile.ts'
import { GENERATED_DAYS, GENERATED_FROM, generatedSteps } from '../harness/generated-columns.ts'
import { withOwnEngines, type OwnEngines } from '../harness/own-engines.ts'
import { median } from '../harness/paired.ts'
import { LANES } from '../peers/dataset.ts'
import { builtDataset } from '../peers/dataset-process.ts'
import { LaneFile } from '../peers/lane-file.ts'
import { cpuOf, peakMegabytesOf } from '../harness/process-usage.ts'

const DAY_MS = 86_400_000
const COLD_ROUNDS = 5
const HOT_ROUNDS = 9
const PARTS = 12
const key = 'hr_bench_0123456789abcdef'
const app = { id: 'a', name: 'Bench', timezone: 'UTC', write_key: 'hw_bench_0123456789abcdef', read_key: key }
const provision = { organizations: [{ id: 'o', name: 'O', apps: [app] }] }
const named = (name: string): object => ({ name, filters: [{ type: 'eq', key: 'name', value: name }] })
const plain = {
  from: new Date(GENERATED_FROM).toISOString(),
  to: new Date(GENERATED_FROM + GENERATED_DAYS * DAY_MS - 1).toISOString(),
  window_ms: DAY_MS,
  steps: generatedSteps.map(named),
}
const filtered = { ...plain, filters: [{ type: 'eq', key: 'plan', value: 'pro' }], breakdown: 'country' }

/**
 * Measures funnels over the generated events through the API on Cassandra: as the first request of a process, then
 * again; and profiles the first.
 */
export async function clusterQueriesBench(wanted = 10_000_000): Promise<void> {
  const dataset = builtDataset(wanted)
  await withOwnEngines(async (engines) => {
    const profiles = mkdtempSync(join(tmpdir(), 'hopper-profiles-'))
    const installation = await cluster(engines, {
      provision,
      env: { HOPPER_LOG_LEVEL: 'error', HOPPER_LEASE_MS: '60000' },
    })
    const profiled = await Service.of('api', [], {
      ...installation.env,
      NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profiles}`,
    })
    try {
      await installation.migrate()
      const bytes = await archive(installation, dataset.dir)
      console.log(
        `  ${dataset.rows} events of ${dataset.devices} devices in Cassandra, ` +
          `${(bytes / dataset.rows).toFixed(1)} bytes an event in ${LANES} merged lanes`,
      )
      for (const [what, body] of [
        ['five steps', plain],
        ['five steps, a filter that keeps 8 %, by country', filtered],
      ] as const) {
        await measure(what, installation.api, engines, body)
      }
      await inProcess(profiled, () => postFunnel(profiled, plain))
      console.log(
        `  CPU of the api from its start to the first answer: ${cpuByPart(profiles)
          .slice(0, PARTS)
          .map(([part, ms]) => `${part} ${Math.round(ms)} ms`)
          .join(', ')}`,
      )
    } finally {
      await installation.dispose()
      rmSync(profiles, { recursive: true, force: true })
    }
  })
}

/**
 * Puts the merged chunks of every lane into the archive.
 * @returns their bytes
 */
async function archive(installation: Cluster, dir: string): Promise<number> {
  const storage = await installation.openStorage()
  let bytes = 0
  try {
    for (let lane = 0; lane < LANES; lane++) {
      const lease = await storage.lanes.acquire(lane, 'bench')
      const file = new LaneFile(join(dir, `merged-${lane}`))
      const chunks = file.encoded()
      for (const { columns } of chunks) for (const cell of columns.values()) bytes += cell.length
      await storage.archive!.append(lease, chunks)
      file.close()
    }
  } finally {
    await storage.close()
  }
  return bytes
}

/** Runs a process for the duration of the work. */
async function inProcess(service: Service, work: () => Promise<void>): Promise<void> {
  await service.start()
  try {
    await work()
  } finally {
    await service.stop('SIGTERM')
  }
}

async function measure(what: string, api: Service, { cassandraPid }: OwnEngines, body: object): Promise<void> {
  const cold: QueryCost[] = []
  const hot: QueryCost[] = []
  let megabytes = 0
  for (let round = -1; round < COLD_ROUNDS; round++) {
    await inProcess(api, async () => {
      const first = await measureCost(api, cassandraPid, () => postFunnel(api, body))
      if (round < 0) return
      cold.push(first)
      for (let again = 0; again < HOT_ROUNDS; again++)
        hot.push(
          await measureCost(api, cassandraPid, () => postFunnel(api, { ...body, window_ms: DAY_MS + again + 1 })),
        )
      megabytes = Math.max(megabytes, peakMegabytesOf(api.pid!))
    })
  }
  for (const [when, all] of [
    ['first request of its process', cold],
    ['again', hot],
  ] as const) {
    const medianOf = (name: keyof QueryCost): number => Math.round(median(all.map((one) => one[name])))
    console.log(
      `${what}, through the API on Cassandra, ${when}: ${medianOf('wallMs')} ms; ` +
        `CPU of the api ${medianOf('apiMs')} ms, of Cassandra ${medianOf('cassandraMs')} ms`,
    )
  }
  console.log(`  memory of the api at most ${Math.round(megabytes)} MB`)
}

interface QueryCost {
  readonly wallMs: number
  readonly apiMs: number
  readonly cassandraMs: number
}

async function measureCost(api: Service, cassandraPid: number, work: () => Promise<void>): Promise<QueryCost> {
  const before = [cpuOf(api.pid), cpuOf(cassandraPid)] as const
  const started = performance.now()
  await work()
  const wallMs = performance.now() - started
  return { wallMs, apiMs: (cpuOf(api.pid) - before[0]) / 1_000, cassandraMs: (cpuOf(cassandraPid) - before[1]) / 1_000 }
}

async function postFunnel({ url }: Service, body: object): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const answer = await fetch(`${url}/api/v1/apps/${app.id}/funnels/query`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`${answer.status} ${text.slice(0, 500)}`)
  if ((JSON.parse(text) as FunnelResult).total === 0) throw new Error('the funnel is empty')
}

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FunnelRequest, FunnelResult } from '@hopper/contracts'
import { GENERATED_DAYS } from '../harness/generated-columns.ts'
import { filtered, generatedContext as context, plain, twentySteps } from '../harness/generated-funnels.ts'
import { median } from '../harness/paired.ts'
import { LANES, type Dataset } from './dataset.ts'
import { builtDataset } from './dataset-process.ts'
import { CACHE_BYTES_MAX } from './engine-job.ts'
import { EnginePool } from './engine-pool.ts'
import { Peer, pythonOfPeers, runScript } from './python.ts'
import { Trial, WARM_UPS, type Contender } from './trial.ts'

const THREADS = 2
const BYTES_BAR = 1.1
const STEPS_BAR = 1.5
const three: FunnelRequest = { ...plain, steps: plain.steps.slice(0, 3) }

const countsOf = ({ steps }: FunnelResult): number[] => steps.map((step) => step.count)
const countriesOf = ({ breakdown }: FunnelResult): unknown[] =>
  breakdown!
    .map(({ value, steps }) => [value, ...steps.map((step) => step.count)])
    .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))

/**
 * Compares the full engine (causes, times to convert, persons with several devices) with chDB and DuckDB on the same
 * events, alternately, and compares the answers.
 */
export async function peersBench(wanted = 10_000_000): Promise<void> {
  const dataset = builtDataset(wanted)
  describe(dataset)
  const python = pythonOfPeers()
  const parquet = join(dataset.dir, 'events.parquet')
  if (dataset.isNew || !existsSync(parquet) || !existsSync(join(dataset.dir, 'sizes.json')))
    runScript(python, 'write_parquet.py', [dataset.dir])
  compareBytes(dataset)
  const merged = new EnginePool(dataset.dir, 'merged', LANES, THREADS, dataset.identities, context)
  const spans = new EnginePool(dataset.dir, 'spans', LANES, THREADS, dataset.identities, context)
  const chdb = await Peer.start('chDB', python, 'chdb_peer.py', [parquet, join(dataset.dir, 'chdb'), String(THREADS)])
  const duckdb = await Peer.start('DuckDB', python, 'duckdb_peer.py', [
    parquet,
    join(dataset.dir, 'duckdb.db'),
    String(THREADS),
  ])
  console.log(
    `  loaded in ${chdb.loadSeconds.toFixed(0)} s by chDB, ${duckdb.loadSeconds.toFixed(0)} s by DuckDB; ` +
      `${THREADS} threads each, and for us`,
  )
  try {
    await compare({ merged, spans, chdb, duckdb })
    await manySteps(merged)
    const mb = Math.round(process.resourceUsage().maxRSS / 1_000)
    console.log(
      `  memory: ours at most ${mb} MB, ${Math.round(merged.cacheBytes / 1e6)} of them decoded columns ` +
        `(bound ${Math.round((CACHE_BYTES_MAX * THREADS) / 1e6)}); ` +
        `chDB at most ${Math.round(chdb.peakMb)} MB, DuckDB ${Math.round(duckdb.peakMb)} MB`,
    )
  } finally {
    chdb.close()
    duckdb.close()
    await Promise.all([merged.close(), spans.close()])
  }
}

function describe({ rows, devices, identities, mergeMs, mergeCpuMs }: Dataset): void {
  const shared = identities.shared.reduce((sum, one) => sum + one, 0)
  console.log(
    `  ${rows} events of ${devices} devices, ${GENERATED_DAYS} days; ` +
      `${identities.keys.length} devices identified, ${shared} of them share their person with another`,
  )
  console.log(
    `  merging all spans into one a lane: ${Math.round(mergeMs)} ms, ` +
      `CPU ${Math.round(mergeCpuMs)} ms, ${Math.round((mergeCpuMs * 1e6) / rows)} ns an event`,
  )
}

/** the columns of the baseline: without those that only Hopper's archive has */
const BASELINE_COLUMNS = ['timestamp', 'device_id', 'event_id', 'name', 'data.url', 'country', 'data.plan']

/**
 * Compares with Parquet of the same columns in the same order. The hashes and lengths of the runs are part of our
 * device column.
 */
function compareBytes({ dir, bytes }: Dataset): void {
  const sizes = JSON.parse(readFileSync(join(dir, 'sizes.json'), 'utf8')) as Record<string, number>
  const own: Record<string, number> = { ...bytes, device_id: bytes.device_id! + bytes.runs! }
  const ratioOf = (name: string): string => `${name} ${own[name]!.toFixed(2)} : ${sizes[name]!.toFixed(2)}`
  console.log(`  bytes an event, ours : Parquet zstd: ${Object.keys(sizes).map(ratioOf).join(', ')}`)
  for (const [what, names] of [
    ['all columns', Object.keys(sizes)],
    ['the columns of a page view', BASELINE_COLUMNS],
  ] as const) {
    const [ours, parquet] = [own, sizes].map((each) => names.reduce((sum, name) => sum + each[name]!, 0)) as [
      number,
      number,
    ]
    const ratio = ours / parquet
    console.log(
      `  ${what}: ${ours.toFixed(2)} bytes an event, Parquet ${parquet.toFixed(2)}: ratio ${ratio.toFixed(2)}, ` +
        `bar ${BYTES_BAR} ${ratio <= BYTES_BAR ? 'reached' : 'NOT REACHED'}`,
    )
  }
}

interface Contenders {
  readonly merged: EnginePool
  readonly spans: EnginePool
  readonly chdb: Peer
  readonly duckdb: Peer
}

async function compare({ merged, spans, chdb, duckdb }: Contenders): Promise<void> {
  const ours = (pool: EnginePool, request: FunnelRequest, hot: boolean): Contender => ({
    name: 'ours',
    run: async () => {
      const result = await pool.funnel(request, hot)
      return request.breakdown === undefined ? countsOf(result) : countriesOf(result)
    },
  })
  const tables = (name: string): boolean => !name.includes('parquet')
  const files = (name: string): boolean => name.includes('parquet')
  for (const [kind, request] of [
    ['funnel', plain],
    ['filtered', filtered],
  ] as const) {
    const what = kind === 'funnel' ? 'five steps' : 'five steps, a filter that keeps 8 %, by country'
    await new Trial(`${what}, hot`, ours(merged, request, true))
      .against(chdb, kind, tables, kind === 'funnel' ? 2.5 : 2)
      .against(duckdb, kind, tables, kind === 'funnel' ? 4 : 2)
      .run(9)
    await new Trial(`${what}, cold merged, peers on Parquet`, ours(merged, request, false))
      .against(chdb, kind, files, kind === 'funnel' ? 3 : 1)
      .against(duckdb, kind, files, kind === 'funnel' ? 4 : 1)
      .run(5)
  }
  await new Trial('five steps, cold, spans of three days', ours(spans, plain, false)).run(5)
}

/** Prints the medians of alternating runs. */
async function manySteps(merged: EnginePool): Promise<void> {
  const ratios: number[] = []
  for (let round = -WARM_UPS; round < 9; round++) {
    const [few, many] = [await cpuOf(merged, three), await cpuOf(merged, twentySteps)]
    if (round >= 0) ratios.push(many / few)
  }
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`
  console.log(
    `  20 steps : 3 steps, hot, by CPU: ratio ${median(ratios).toFixed(2)} (${range}), ` +
      `bar ${STEPS_BAR} ${median(ratios) <= STEPS_BAR ? 'reached' : 'NOT REACHED'}`,
  )
}

async function cpuOf(pool: EnginePool, request: FunnelRequest): Promise<number> {
  const before = process.cpuUsage()
  await pool.funnel(request, true)
  const { user, system } = process.cpuUsage(before)
  return user + system
}

import { aggregatorBench } from './aggregator/aggregator-bench.ts'
import { clusterAggregatorBench } from './aggregator/cluster-aggregator-bench.ts'
import { clusterQueriesBench } from './queries/cluster-queries-bench.ts'
import { fileImportBench } from './ingest/file-import-bench.ts'
import { funnelBench } from './queries/funnel-bench.ts'
import { hostileClientsBench } from './overload/hostile-clients-bench.ts'
import { hostileFloodBench } from './overload/hostile-flood-bench.ts'
import { hostileBench } from './overload/hostile-bench.ts'
import { importBench } from './aggregator/import-bench.ts'
import { ingestBench } from './ingest/ingest-bench.ts'
import { kafkaIngestBench } from './ingest/kafka-ingest-bench.ts'
import { memoryBench } from './aggregator/memory-bench.ts'
import { mergeBench } from './aggregator/merge-bench.ts'
import { panelsBench } from './queries/panels-bench.ts'
import { peersBench } from './peers/peers-bench.ts'
import { clusterSoak, soakBench, standaloneSoak } from './soak/soak-bench.ts'
import { sizingBench } from './aggregator/sizing-bench.ts'
import { starvationBench } from './overload/starvation-bench.ts'
import { trackerBench } from './ingest/tracker-bench.ts'
import { trackerCostBench } from './ingest/tracker-cost-bench.ts'

/**
 * All benches by name. `npm run bench -- NAME…` runs the named ones; without a name, it runs all but those of
 * `onlyWhenNamed`.
 */
const benches: Record<string, () => void | Promise<void>> = {
  tracker: trackerBench,
  'tracker-cost': trackerCostBench,
  ingest: ingestBench,
  'kafka-ingest': kafkaIngestBench,
  aggregator: aggregatorBench,
  'cluster-aggregator': clusterAggregatorBench,
  'cluster-queries': () => clusterQueriesBench(),
  panels: () => panelsBench(),
  'panels-small': () => panelsBench(100_000),
  hostile: hostileBench,
  'hostile-flood': () => hostileFloodBench(),
  'hostile-flood-short': () => hostileFloodBench(8),
  starvation: starvationBench,
  'hostile-clients': hostileClientsBench,
  merge: mergeBench,
  memory: memoryBench,
  sizing: sizingBench,
  soak: () => soakBench(),
  'soak-standalone': () => standaloneSoak(),
  'soak-cluster': () => clusterSoak(),
  'soak-short': () => soakBench(3),
  import: () => importBench(),
  'import-files': fileImportBench,
  'import-small': () => importBench({ events: 200_000, days: 30 }),
  funnel: () => funnelBench(),
  'funnel-10m': () => funnelBench(10_000_000),
  peers: () => peersBench(),
  'peers-1m': () => peersBench(1_000_000),
}
/** peers need Python, a soak takes most of an hour; the others are smaller variants of benches that run anyway */
const onlyWhenNamed = new Set([
  'peers',
  'peers-1m',
  'soak',
  'soak-standalone',
  'soak-cluster',
  'soak-short',
  'import-small',
  'panels-small',
  'hostile-flood-short',
])

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in benches))
if (unknown.length > 0) {
  console.error(`no bench named ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}
for (const name of wanted.length > 0 ? wanted : Object.keys(benches).filter((name) => !onlyWhenNamed.has(name))) {
  console.log(name)
  await benches[name]!()
}

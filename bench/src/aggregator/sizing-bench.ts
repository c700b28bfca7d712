import { clusterFor, type Assumed, type Measured } from './sizing.ts'

/**
 * Close to the results of kafka-ingest, cluster-aggregator and merge on 2 cores shared with the engines. Ids are
 * counted as rows: on a busy lane, most of a date's rows are ids.
 */
const measured: Measured = {
  ingestPerCore: 150_000,
  aggregatorPerCore: 40_000,
  logBytes: 35,
  storeBytes: 100,
  rowsPerEvent: 1.1,
}
const assumed: Assumed = { rowsPerNode: 60_000, bytesPerBroker: 50_000_000, replication: 3, utilization: 0.66 }
const rates = [1_000, 10_000, 100_000, 1_000_000]

/** Prints the table of sizes in docs/operating.md. */
export function sizingBench(): void {
  console.log(`  measured, for one core: ${JSON.stringify(measured)}`)
  console.log(`  assumed: ${JSON.stringify(assumed)}`)
  console.log(
    '  | events/s | lanes | ingest | aggregators | brokers | nodes | log GB/day | store GB/day | busiest lane |',
  )
  for (const rate of rates) {
    const { lanes, ingest, aggregators, brokers, nodes, logGigabytes, storeGigabytes, busiestLane } = clusterFor(
      rate,
      measured,
      assumed,
    )
    const cells = [
      rate.toLocaleString('en'),
      lanes,
      ingest,
      aggregators,
      brokers,
      nodes,
      Math.round(logGigabytes),
      Math.round(storeGigabytes),
      `${busiestLane.toFixed(2)} x mean`,
    ]
    console.log(`  | ${cells.join(' | ')} |`)
  }
}

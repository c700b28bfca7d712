import { quantile } from './hostile.ts'
import { probes, starve, type Probe } from './starvation.ts'

const MS = 20_000
/** The maximum that queries may add to the p99 of clients that do not wait for a query. */
const ADDED_MS_MAX = 100
/** The maximum that they may add to another app's query, which shares the threads with them. */
const ADDED_TO_FUNNEL_MS_MAX = 5_000

const names: Record<Probe, string> = {
  ingest: 'ingest of one event',
  healthcheck: '/healthcheck',
  funnel: "another app's funnel",
  panel: "another app's fixed panel",
}

/**
 * Prints the effect of one key on all other clients: 90 funnels of 30 regular expressions, unread exports and live
 * streams, and 1,000 pipelined queries. Ends the process with an error when it exceeds its bar.
 */
export async function starvationBench(): Promise<void> {
  const { idle, loaded, ends } = await starve(MS)
  for (const probe of probes) {
    const [before, under] = [idle[probe], loaded[probe]].map((latencies) => ({
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      calls: latencies.length,
    }))
    const described = [before!, under!].map(
      ({ p50, p99, calls }) => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms of ${calls}`,
    )
    const bar = probe === 'funnel' ? ADDED_TO_FUNNEL_MS_MAX : ADDED_MS_MAX
    const added = under!.p99 - before!.p99
    const reached = added <= bar
    if (!reached) process.exitCode = 1
    console.log(
      `  ${names[probe]}: idle ${described[0]}; loaded ${described[1]}; ` +
        `p99 ${added.toFixed(1)} ms above idle, bar ${bar} ms ${reached ? 'reached' : 'NOT REACHED'}`,
    )
  }
  const endings = [...ends].map(([end, times]) => `${end} (${times})`).join(', ')
  console.log(`  the attacking funnels ended with ${endings || 'nothing yet'}`)
}

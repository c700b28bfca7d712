import { attack, quantile, type Latencies, type Responsiveness } from './hostile.ts'

const MS = 8_000

/**
 * Measures the effect of hostile queries on ingest and other queries, calm and under attack, on a whole installation.
 */
export async function hostileBench(): Promise<void> {
  const { calm, attacked, running, refusals, pattern } = await attack(MS)
  for (const [what, kind] of [
    ['ingest of one event', 'ingest'],
    ["another app's funnel", 'others'],
    ["the attacked app's own funnel", 'own'],
  ] as const)
    line(what, kind, calm, attacked)
  console.log(
    `  threads were busy with ${running} queries meanwhile; ` +
      `the first of the catastrophic ones ended with ${pattern.status} ${pattern.code}`,
  )
  for (const { name, status, code, ms } of refusals)
    console.log(`  ${name}: ${status} ${code} after ${ms.toFixed(0)} ms, under attack`)
}

function line(what: string, kind: keyof Responsiveness, calm: Responsiveness, attacked: Responsiveness): void {
  const describe = (latencies: Latencies): string =>
    `median ${quantile(latencies, 0.5).toFixed(1)} ms, p95 ${quantile(latencies, 0.95).toFixed(1)} ms, ` +
    `longest ${quantile(latencies, 1).toFixed(0)} ms of ${latencies.length}`
  console.log(`  ${what}: calm ${describe(calm[kind])}; under attack ${describe(attacked[kind])}`)
}

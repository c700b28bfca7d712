import type { EncodedChunk } from '@hopper/contracts'
import {
  Chunk,
  ColumnCache,
  encodeColumns,
  identitiesOf,
  mergeChunks,
  queryDistinct,
  queryFunnel,
  spansOf,
  type LaneInput,
} from '@hopper/engine'
import { GENERATED_DAYS, GENERATED_FROM, generatedColumns } from '../harness/generated-columns.ts'
import { filtered, generatedContext as context, plain, twentySteps } from '../harness/generated-funnels.ts'
import { median } from '../harness/paired.ts'
import { rowsBetween } from '../harness/rows-between.ts'

const DAY_MS = 86_400_000
const LANES = 8
const SPAN_DAYS = 3

/**
 * Builds the archive as it is appended (spans of three days) and as it is merged; prints bytes per event and the cost
 * of merging.
 */
function build(rows: number): { readonly spans: EncodedChunk[]; readonly merged: EncodedChunk[] } {
  const spans: EncodedChunk[] = []
  const merged: EncodedChunk[] = []
  let mergeMs = 0
  for (let lane = 0; lane < LANES; lane++) {
    const columns = generatedColumns(rows / LANES, lane, LANES)
    const own: EncodedChunk[] = []
    for (let day = 0; day < GENERATED_DAYS; day += SPAN_DAYS) {
      const part = rowsBetween(columns, GENERATED_FROM + day * DAY_MS, GENERATED_FROM + (day + SPAN_DAYS) * DAY_MS)
      own.push(
        ...encodeColumns(part, {
          app: 'a',
          date: new Date(GENERATED_FROM + day * DAY_MS).toISOString().slice(0, 10),
          lane,
          first_position: day,
          last_position: day,
        }),
      )
    }
    const start = performance.now()
    merged.push(...mergeChunks(own.map((chunk) => Chunk.of(chunk))))
    mergeMs += performance.now() - start
    spans.push(...own)
  }
  const count = merged.reduce((sum, chunk) => sum + chunk.summary.rows, 0)
  const bytes: Record<string, number> = {}
  for (const { columns } of merged)
    for (const [name, cell] of columns) bytes[name] = (bytes[name] ?? 0) + cell.length / count
  console.log(
    `  ${count} events, ${spans.length} chunks merged into ${merged.length} ` +
      `in ${Math.round(mergeMs)} ms (${((mergeMs * 1e6) / count).toFixed(0)} ns an event)`,
  )
  console.log(
    `  bytes an event: ${Object.entries(bytes)
      .map(([name, value]) => `${name} ${value.toFixed(2)}`)
      .join(', ')}; all ${Object.values(bytes)
      .reduce((a, b) => a + b)
      .toFixed(2)}`,
  )
  return { spans, merged }
}

const nobody = identitiesOf('a', [])

function lanesOf(chunks: readonly EncodedChunk[], cache?: ColumnCache): LaneInput[] {
  return Array.from({ length: LANES }, (_, lane) => ({
    lane,
    identities: nobody,
    spans: spansOf(chunks.filter((chunk) => chunk.summary.lane === lane).map((chunk) => Chunk.of(chunk, cache))),
  }))
}

function measure(what: string, run: () => unknown, rounds = 7): number {
  run()
  const wall: number[] = []
  const cpu: number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    const start = performance.now()
    run()
    wall.push(performance.now() - start)
    const { user, system } = process.cpuUsage(before)
    cpu.push((user + system) / 1_000)
  }
  console.log(
    `  ${what.padEnd(44)} wall ${median(wall).toFixed(0)} ms ` +
      `(least ${Math.min(...wall).toFixed(0)}), CPU ${median(cpu).toFixed(0)} ms`,
  )
  return median(cpu)
}

/** Measures the full engine (causes, times to convert, identity) over generated events of 30 days, in one thread. */
export function funnelBench(rows = 1_000_000): void {
  const { spans, merged } = build(rows)
  const cache = new ColumnCache(4_000_000_000)
  const hot = lanesOf(merged, cache)
  const counts = queryFunnel(plain, context, hot).steps.map((step) => step.count)
  if (
    JSON.stringify(counts) !==
    JSON.stringify(queryFunnel(plain, context, lanesOf(spans)).steps.map((step) => step.count))
  )
    throw new Error('merging changed the answer')
  console.log(`  answer: ${counts.join(', ')}`)
  measure('funnel of 5 steps, hot', () => queryFunnel(plain, context, hot))
  measure('the same with a filter of 8 %, by country', () => queryFunnel(filtered, context, hot))
  const three = measure('funnel of 3 steps, hot', () =>
    queryFunnel({ ...plain, steps: plain.steps.slice(0, 3) }, context, hot),
  )
  const twenty = measure('funnel of 20 steps, hot', () => queryFunnel(twentySteps, context, hot))
  console.log(`  20 steps : 3 steps ${(twenty / three).toFixed(2)} (bar 1.50)`)
  measure('distinct persons, hot', () => queryDistinct({ from: plain.from, to: plain.to, filters: [] }, hot))
  measure('funnel of 5 steps, cold, merged', () => queryFunnel(plain, context, lanesOf(merged)), 5)
  measure('the same with a filter of 8 %, by country', () => queryFunnel(filtered, context, lanesOf(merged)), 5)
  measure(`funnel of 5 steps, cold, spans of ${SPAN_DAYS} days`, () => queryFunnel(plain, context, lanesOf(spans)), 5)
  console.log(
    `  decoded columns ${Math.round(cache.bytes / 1e6)} MB, resident ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
  )
}

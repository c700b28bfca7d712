import type { Service } from '../installations/service.ts'
import { until } from '../installations/until.ts'

const BATCH_TIMEOUT_MS = 120_000

/**
 * Returns a metric of a process, summed over its labels; 0 when it does not exist yet or the process does not answer.
 */
export async function metricOf(service: Service, name: string): Promise<number> {
  const text = await fetch(`${service.url}/metrics`).then(
    (answer) => answer.text(),
    () => '',
  )
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

/** Resolves when an aggregator has counted a batch after this call. */
export async function waitForBatch(service: Service): Promise<void> {
  const before = await metricOf(service, 'hopper_aggregator_batch_seconds_count')
  await until(async () => (await metricOf(service, 'hopper_aggregator_batch_seconds_count')) > before, BATCH_TIMEOUT_MS)
}

/** Waits for a random time of at most `msMax`, as part of the fault schedule. */
export function randomPause(random: () => number, msMax: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, random() * msMax))
}

/** Returns the number of lanes that an aggregator owns now. */
export async function lanesOf(service: Service): Promise<number> {
  const text = await fetch(`${service.url}/metrics`).then(
    (answer) => answer.text(),
    () => '',
  )
  return text.split('\n').filter((line) => line.startsWith('hopper_aggregator_lag{')).length
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Provision } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import type { Service, StopSignal } from './service.ts'
import { until } from './until.ts'

const OUTPUT_CHARS = 3_000

/** Hopper as its users run it, standalone or as a cluster: separate processes, reached by HTTP, stopped by signals. */
export interface Installation {
  readonly ingestUrl: string
  readonly apiUrl: string
  /** its processes; standalone has one */
  readonly services: readonly Service[]
  /** the output of all processes so far */
  output(): string
  /** Prepares the installation and starts every process. */
  start(): Promise<void>
  /** Stops every process; returns those that did not exit with 0. */
  stop(signal: StopSignal): Promise<readonly string[]>
  /** Opens its stored data. Standalone must be stopped before. */
  openStorage(): Promise<Storage>
  /** Runs a subcommand on its stored data; returns the output. Standalone must be stopped before. */
  run(args: readonly string[]): Promise<string>
  /** Stops every process and removes the stored data. */
  dispose(): Promise<void>
}

export interface InstallationOptions {
  readonly provision?: Provision
  /** added to the environment of every process */
  readonly env?: Readonly<Record<string, string>>
}

/** Creates a directory for an installation, with its provision file. */
export function directoryFor({ provision }: InstallationOptions): {
  dir: string
  provisionArgs: string[]
  remove: () => void
} {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-e2e-'))
  const remove = (): void => rmSync(dir, { recursive: true, force: true })
  if (!provision) return { dir, provisionArgs: [], remove }
  const file = join(dir, 'hopper.json')
  writeFileSync(file, JSON.stringify(provision))
  return { dir, provisionArgs: ['--provision', file], remove }
}

/**
 * Stops processes concurrently; returns those that did not exit with 0, with their exit and the end of their output.
 */
export async function stopAll(services: readonly Service[], signal: StopSignal): Promise<string[]> {
  const ends = await Promise.all(services.map(async (service) => ({ service, end: await service.stop(signal) })))
  return ends
    .filter(({ end }) => end !== 0)
    .map(({ service: { name, output }, end }) => `${name}: ${end ?? 'never started'}\n${output.slice(-OUTPUT_CHARS)}`)
}

/** Sends a GET request to the dashboard API with a key; returns the parsed answer. Throws on any status but 200. */
export async function getJson<T>(installation: Installation, path: string, key: string): Promise<T> {
  const answer = await fetch(`${installation.apiUrl}${path}`, { headers: { authorization: `Bearer ${key}` } })
  if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

/** Waits until every acknowledged event is counted; rejects with the end of the processes' output. */
export async function whenCounted(installation: Installation, key: string, boundMs = 60_000): Promise<void> {
  const isCounted = async (): Promise<boolean> => {
    const status = await getJson<{ lanes: { lag: number }[] }>(installation, '/api/v1/status', key)
    return status.lanes.every(({ lag }) => lag === 0)
  }
  await until(isCounted, boundMs).catch((cause: Error) => {
    throw new Error(`${cause.message}\n${installation.output().slice(-3_000)}`, { cause })
  })
}

/**
 * Waits until the aggregators know every funnel of the app and have counted its past. Moves between stages are derived
 * from events that came before that, and are those that senders report after it.
 */
export async function whenFunnelsKnown(
  installation: Installation,
  app: string,
  key: string,
  boundMs = 60_000,
): Promise<void> {
  const path = `/api/v1/apps/${app}/funnels`
  await until(async () => {
    const { funnels } = await getJson<{ funnels: readonly { past: { state: string } }[] }>(installation, path, key)
    return funnels.every(({ past }) => past.state === 'done')
  }, boundMs)
}

/** Waits until every counted session has its verdict about bots; an audit leaves out what changes meanwhile. */
export async function whenReviewed(
  installation: Installation,
  app: string,
  key: string,
  boundMs = 60_000,
): Promise<void> {
  type Answer = { readonly bot_review: { readonly state: string } }
  await until(
    async () => (await getJson<Answer>(installation, `/api/v1/apps/${app}`, key)).bot_review.state === 'done',
    boundMs,
  )
}

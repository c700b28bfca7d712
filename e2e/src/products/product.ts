import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Provision } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import type { Service, StopSignal } from './service.ts'
import { until } from './until.ts'

const OUTPUT_CHARS = 3_000

/** Hopper as its users run it, in one of its two ways: processes of its own, reached by HTTP, ended by signals. */
export interface Product {
  readonly ingestUrl: string
  readonly apiUrl: string
  /** its processes; in standalone there is one */
  readonly services: readonly Service[]
  /** what all processes have printed so far */
  output(): string
  /** Makes it ready and starts every process. */
  start(): Promise<void>
  /** Ends every process; answers those that did not end with 0. */
  stop(signal: StopSignal): Promise<readonly string[]>
  /** What it has stored; standalone must be stopped before. */
  openStorage(): Promise<Storage>
  /** Runs a subcommand on what it has stored; answers what that printed. Standalone must be stopped before. */
  run(args: readonly string[]): Promise<string>
  /** Ends every process and removes what it stored. */
  dispose(): Promise<void>
}

export interface ProductOptions {
  readonly provision?: Provision
  /** added to the environment of every process */
  readonly env?: Readonly<Record<string, string>>
}

/** A directory for a product, with its provision file. */
export function directoryFor({ provision }: ProductOptions): { dir: string; provisionArgs: string[]; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-e2e-'))
  const remove = (): void => rmSync(dir, { recursive: true, force: true })
  if (!provision) return { dir, provisionArgs: [], remove }
  const file = join(dir, 'hopper.json')
  writeFileSync(file, JSON.stringify(provision))
  return { dir, provisionArgs: ['--provision', file], remove }
}

/** Ends processes at once; answers those that did not end with 0: how they ended and what they printed last. */
export async function stopAll(services: readonly Service[], signal: StopSignal): Promise<string[]> {
  const ends = await Promise.all(services.map(async (service) => ({ service, end: await service.stop(signal) })))
  return ends
    .filter(({ end }) => end !== 0)
    .map(({ service: { name, output }, end }) => `${name}: ${end ?? 'never started'}\n${output.slice(-OUTPUT_CHARS)}`)
}

/** A GET of the dashboard API with a key; the parsed answer. Throws on any status but 200. */
export async function getJson<T>(product: Product, path: string, key: string): Promise<T> {
  const answer = await fetch(`${product.apiUrl}${path}`, { headers: { authorization: `Bearer ${key}` } })
  if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

/** Waits until everything that was acknowledged is counted; rejects with the end of what the processes have printed. */
export async function counted(product: Product, key: string, boundMs = 60_000): Promise<void> {
  const isCounted = async (): Promise<boolean> => {
    const status = await getJson<{ lanes: { lag: number }[] }>(product, '/api/v1/status', key)
    return status.lanes.every(({ lag }) => lag === 0)
  }
  await until(isCounted, boundMs).catch((cause: Error) => {
    throw new Error(`${cause.message}\n${product.output().slice(-3_000)}`, { cause })
  })
}

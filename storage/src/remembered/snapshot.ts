import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import type { App, Element, Funnel, KeyRecord } from '@hopper/contracts'
import type { Registry } from '../ports/registry.ts'

/**
 * Limits of a snapshot. Without one, ingest waits for Cassandra while that is unavailable; reading a larger registry
 * every half minute would be the greater burden.
 */
const RECORDS_MAX = 100_000
const BYTES_MAX = 64_000_000
const REVOKED_MAX = 10_000
const APPS_CONCURRENCY = 8

/** The part of the registry that ingest needs, as of one instant. Keys are hashes. */
export interface RegistrySnapshot {
  readonly version: 1
  /** ms since the epoch */
  readonly at: number
  readonly keys: readonly KeyRecord[]
  readonly apps: readonly {
    readonly app: App
    readonly funnels: readonly Funnel[]
    readonly elements: readonly Element[]
  }[]
  /** hashes of keys that an earlier snapshot had and that no longer exist */
  readonly revoked: readonly string[]
}

/**
 * Reads the part of a registry that ingest needs.
 * @throws RangeError when it is too large for a snapshot
 */
export async function takeSnapshot(
  registry: Registry,
  before: RegistrySnapshot | undefined,
): Promise<RegistrySnapshot> {
  const at = Date.now()
  const [keys, apps] = await Promise.all([registry.keys.list(), registry.apps.list()])
  let records = keys.length + apps.length
  const all: RegistrySnapshot['apps'][number][] = []
  for (let begin = 0; begin < apps.length; begin += APPS_CONCURRENCY) {
    if (records > RECORDS_MAX) throw new RangeError(`The registry has more than ${RECORDS_MAX} records.`)
    const some = await Promise.all(
      apps.slice(begin, begin + APPS_CONCURRENCY).map(async (app) => ({
        app,
        funnels: await registry.funnels.list(app.id),
        elements: await registry.elements.list(app.id),
      })),
    )
    for (const each of some) records += each.funnels.length + each.elements.length
    all.push(...some)
  }
  const hashes = new Set(keys.map(({ hash }) => hash))
  const earlier = (before?.keys ?? []).map(({ hash }) => hash)
  const revoked = [...new Set([...(before?.revoked ?? []), ...earlier])]
    .filter((hash) => !hashes.has(hash))
    .slice(-REVOKED_MAX)
  return { version: 1, at, keys, apps: all, revoked }
}

/** Reads the snapshot in a file. Returns undefined when there is none, or none that can be read. */
export function readSnapshot(file: string): RegistrySnapshot | undefined {
  try {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > BYTES_MAX) return undefined
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<RegistrySnapshot>
    const lists = [value.keys, value.apps, value.revoked]
    return value.version === 1 && typeof value.at === 'number' && lists.every((list) => Array.isArray(list))
      ? (value as RegistrySnapshot)
      : undefined
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Replaces the file atomically: a reader, and a process that starts after a crash, finds the old snapshot or the new
 * one.
 */
export function writeSnapshot(file: string, snapshot: RegistrySnapshot): void {
  const text = JSON.stringify(snapshot)
  if (Buffer.byteLength(text) > BYTES_MAX) throw new RangeError(`The registry takes more than ${BYTES_MAX} bytes.`)
  const temporary = `${file}.${process.pid}`
  try {
    const descriptor = openSync(temporary, 'w', 0o600)
    try {
      writeSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeEnvelope, type Event } from '@hopper/contracts'
import { OfflineIntake } from '@hopper/ingest'
import { withOverrides, type LaneMessage, type Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { countAll } from '../testing/installation.fixture.ts'
import { ExternalFiles } from './external-files.ts'

/** An installation with the app `shop`, and a directory that others write to. */
export interface ExternalSetup extends AsyncDisposable {
  readonly storage: Storage
  /** where the files of `shop` are */
  readonly dir: string
  readonly root: string
  readonly warnings: string[]
  readonly counted: Record<string, number>
  addApp(id: string): Promise<void>
  /** a process that has just started, over the same or another storage */
  start(storage?: Storage): ExternalFiles
  /** events in the log, those that came twice included */
  events(): Promise<(Event & { device_id: string })[]>
  /** counts the log with the real aggregator; returns events by fate, and dead letters */
  fates(): Promise<Record<string, number>>
}

export async function makeExternal(): Promise<ExternalSetup> {
  const base = await mkdtemp(join(tmpdir(), 'hopper-external-'))
  const [root, dir] = [join(base, 'files'), join(base, 'files', 'shop')]
  await mkdir(dir, { recursive: true })
  const storage = await openEmbedded({ dir: join(base, 'data'), lanes: 2 })
  const warnings: string[] = []
  const counted: Record<string, number> = {}
  const count = (outcome: string, rows: number): void => void (counted[outcome] = (counted[outcome] ?? 0) + rows)
  const logger = {
    info: () => undefined,
    warn: (details: object) => void warnings.push((details as { err: Error }).err.message),
  }
  const external: ExternalSetup = {
    ...{ storage, dir, root, warnings, counted },
    addApp: async (id) => {
      const app = { id, organization: 'acme', name: id, timezone: 'UTC', origins: [], keep_parameters: [] }
      await storage.registry.apps.put('acme', id, app)
    },
    start: ({ log, registry } = storage) =>
      new ExternalFiles(root, { log, registry, intake: new OfflineIntake(), count }, logger),
    events: () => eventsIn(storage),
    fates: () => fatesOf(storage),
    async [Symbol.asyncDispose]() {
      await storage.close()
      await rm(base, { recursive: true })
    },
  }
  await storage.registry.organizations.put('', 'acme', { id: 'acme', name: 'Acme' })
  await external.addApp('shop')
  return external
}

async function messagesIn({ log }: Storage): Promise<Uint8Array[]> {
  const lanes = await Promise.all(Array.from({ length: log.lanes }, (_, lane) => log.read(lane, 0, Infinity)))
  return lanes.flat().map(({ value }) => value)
}

async function eventsIn(storage: Storage): Promise<(Event & { device_id: string })[]> {
  return (await messagesIn(storage)).flatMap((value) => {
    // what cannot be decoded is a dead letter
    if (Buffer.from(value).toString().startsWith('{"version":"bad record"')) return []
    const { device_id, events } = decodeEnvelope(value)
    return events.map((event) => ({ ...event, device_id }))
  })
}

async function fatesOf(storage: Storage): Promise<Record<string, number>> {
  await countAll(storage)
  const dates = [Date.now() - 86_400_000, Date.now()].map((ms) => new Date(ms).toISOString().slice(0, 10))
  const rows = await storage.reader.counters('fates_by_date', 'shop', dates)
  const fates: Record<string, number> = { letters: await storage.reader.deadLetters() }
  for (const { key, counters } of rows) fates[String(key[0])] = (fates[String(key[0])] ?? 0) + counters[0]!
  return fates
}

/** A storage whose log fails permanently: before an append, after half of it, or after it. */
export function failingLog(storage: Storage, appends: number, how: 'before' | 'half' | 'after'): Storage {
  let left = appends
  const appendMessages = async (messages: readonly LaneMessage[]): Promise<never[]> => {
    const parts = { before: 0, half: Math.floor(messages.length / 2), after: messages.length }
    const taken = left-- > 0 ? messages.length : parts[how]
    await storage.log.appendMessages(messages.slice(0, taken))
    if (left < 0) throw new Error('the process ends')
    return []
  }
  return { ...storage, log: withOverrides(storage.log, { appendMessages }) }
}

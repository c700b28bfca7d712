import { createHash } from 'node:crypto'
import { encodeEnvelope, HopperError, ingestRules, laneOf, type App } from '@hopper/contracts'
import { OfflineIntake } from '@hopper/ingest'
import { ForgottenMessages, ImportedLog, type Storage } from '@hopper/storage'
import { FileCounts } from './file-counts.ts'
import type { FormatName } from './format.ts'
import type { Mapping } from './mapping.ts'
import { Repetitions } from './repetitions.ts'
import { RowBatch } from './row-batch.ts'
import type { Format } from './row.ts'
import type { SourceFile } from './source-file.ts'

/**
 * To be increased whenever the same file would be cut into different messages. An import begun by an earlier version
 * then starts over instead of continuing; its events are recognized as duplicates.
 */
const VERSION = 2
/** Each append costs two syncs, one of them to store the progress before it, so appends are large. */
const MESSAGES_PER_APPEND = 2_000

/** File that is imported into an app. */
export interface FileImport {
  readonly app: App
  readonly file: SourceFile
  readonly from: FormatName
  readonly format: Format
  readonly mapping?: Mapping | undefined
}

/** Reports the progress: rows, and bytes of the file. */
export type FileReport = (rows: number, bytes: number) => void

/**
 * Reads the events of a file into an app, through the same steps as events that come by HTTP. An import that is run
 * again continues after the messages that it has appended; one that was finished appends nothing. Events that were
 * forgotten here with their person are left out.
 * @throws HopperError HOP_CONFIG for a file that cannot be read or changes meanwhile
 */
export async function importFile(
  { log, registry, reader }: Pick<Storage, 'log' | 'registry' | 'reader'>,
  { app, file, from, format, mapping }: FileImport,
  report: FileReport,
): Promise<FileCounts> {
  const id = importId(app, file, from, mapping)
  const imported = await ImportedLog.open({ log, registry }, id, { messagesPerAppend: MESSAGES_PER_APPEND })
  const intake = new OfflineIntake()
  const forgotten = new ForgottenMessages(registry)
  using repetitions = new Repetitions()
  const counts = new FileCounts()
  const batch = new RowBatch(format)
  const take = async (): Promise<void> => {
    const receivedAt = imported.begunAt
    const before = (content: string): number => repetitions.before(content)
    const taken = intake.take(batch.toOffline({ app, receivedAt, historical: true, before }))
    for (const envelope of taken.envelopes) {
      const { app, device_id } = envelope
      const value = encodeEnvelope(await forgotten.made(envelope, { reader, lanes: log.lanes }))
      await imported.add({ lane: laneOf(app, device_id, log.lanes), value, envelope: undefined })
    }
    counts.add(batch.rows, taken)
    batch.clear()
    report(counts.rows, file.bytesRead)
  }
  for await (const rows of format.rows(watched(file))) {
    for (const row of rows) {
      if (batch.add(row)) continue
      await take()
      batch.add(row)
    }
  }
  if (batch.rows.length > 0) await take()
  await file.assertUnchanged()
  await imported.finish()
  counts.skipped = imported.skipped
  return counts
}

/** Yields the content. Checks before each part whether the file has changed, to fail early. */
async function* watched(file: SourceFile): AsyncGenerator<Uint8Array> {
  for await (const part of file.content()) {
    await file.assertUnchanged()
    yield part
  }
}

/**
 * Identifies an import: the same file into the same app in the same way. Rules of the app that judge events decide
 * which of them share a message.
 */
function importId(app: App, { identity }: SourceFile, from: FormatName, mapping: Mapping | undefined): string {
  const rules = ingestRules(app)
  const way = [VERSION, app.id, from, mapping ?? null, identity.sha256]
  const parts = JSON.stringify(rules.length === 0 ? way : [...way, rules])
  return `file-${createHash('sha256').update(parts).digest('hex')}`
}

/**
 * Returns the app that a name means; without a name the only one there is.
 * @throws HopperError HOP_CONFIG that names the apps
 */
export async function appNamed({ registry }: Pick<Storage, 'registry'>, name: string | undefined): Promise<App> {
  const apps = await registry.apps.list()
  const app = name === undefined && apps.length === 1 ? apps[0] : apps.find(({ id }) => id === name)
  if (app) return app
  const known = apps.map(({ id }) => id).join(', ') || 'none'
  if (name !== undefined)
    throw new HopperError('HOP_CONFIG', `There is no app ${name.slice(0, 100)}; there are: ${known}.`)
  throw new HopperError('HOP_CONFIG', `Name the app by --app; there are: ${known}.`)
}

import { setImmediate as nextTurn } from 'node:timers/promises'
import { encodeEnvelope, laneOf, type App } from '@hopper/contracts'
import type { OfflineIntake } from '@hopper/ingest'
import type { ExternalProgress, LaneMessage, Storage } from '@hopper/storage'
import { formatOf } from '../import/from/format.ts'
import type { Mapping } from '../import/from/mapping.ts'
import { readNdjson } from '../import/from/read-ndjson.ts'
import { RowBatch } from '../import/from/row-batch.ts'
import type { Format, Row } from '../import/from/row.ts'
import { missingMessages } from '@hopper/storage'
import { badRecordMessage } from './bad-record.ts'
import { cutRanges, type Range } from './cut-ranges.ts'
import { contentFrom, isCompressed, readHeader, tailOf } from './file-content.ts'

/** Rows taken in one turn of the event loop: requests must not wait for a file. */
const ROWS_PER_TURN = 200
/** A last line without a line feed is read when the file has not changed for this time. */
const IDLE_MS = 20_000

/** File that another system writes, as it was found. */
export interface FoundFile {
  readonly path: string
  readonly app: App
  readonly mapping: Mapping | undefined
  readonly device: string
  readonly inode: string
  readonly size: number
  readonly mtimeMs: number
}

export interface ExternalParts {
  readonly log: Storage['log']
  readonly registry: Storage['registry']
  readonly intake: OfflineIntake
  /** counts rows by their outcome */
  readonly count: (outcome: 'accepted' | 'rejected', rows: number) => void
}

/** Reads what is new in a file into the log, each record once however often the process ends meanwhile. */
export class ExternalFile {
  readonly #parts: ExternalParts
  readonly #file: FoundFile
  readonly #isCsv: boolean
  readonly #format: Format
  #header: Buffer | undefined
  #progress: ExternalProgress

  private constructor(parts: ExternalParts, file: FoundFile, progress: ExternalProgress) {
    this.#parts = parts
    this.#file = file
    this.#progress = progress
    this.#isCsv = /\.csv(\.gz)?$/.test(file.path)
    const format = formatOf(this.#isCsv ? 'csv' : 'ndjson', file.path, file.mapping)
    // A part of a file that begins with a bracket is still lines.
    this.#format = this.#isCsv ? format : { ...format, rows: readNdjson }
  }

  /** Returns the file with its progress; undefined when there is nothing new in it. */
  static async open(parts: ExternalParts, file: FoundFile): Promise<ExternalFile | undefined> {
    const id = externalId(file)
    const known = await parts.registry.externals.get('', id)
    const progress = known !== undefined && (await isSameFile(known, file)) ? known : newProgress(id, file)
    const isRead = isCompressed(file.path) ? progress.is_whole : progress.offset === file.size
    return isRead && progress.pending === 0 ? undefined : new ExternalFile(parts, file, progress)
  }

  /** Stops before the next megabyte when the signal is aborted. @throws when the file or the log cannot be used */
  async read(signal: AbortSignal, now: number): Promise<void> {
    const { path, mtimeMs } = this.#file
    if (this.#isCsv && !(await this.#findHeader())) return
    const { offset, pending } = this.#progress
    let isPending = pending > 0
    let isWhole = true
    for await (const range of cutRanges(contentFrom(path, offset), this.#isCsv, pending)) {
      isWhole = !signal.aborted && (range.kind !== 'tail' || isCompressed(path) || now - mtimeMs >= IDLE_MS)
      if (!isWhole) break
      await this.#take(range, isPending)
      isPending = false
    }
    await this.#saveProgress({ pending: 0, is_whole: isWhole })
  }

  /**
   * Takes the header as read. Returns false while it is not complete.
   * @throws HopperError HOP_CONFIG when the file lacks a column
   */
  async #findHeader(): Promise<boolean> {
    const header = await readHeader(this.#file.path)
    if (header === undefined) return false
    const rows = this.#format.rows(piecesOf(header))
    while (!(await rows.next()).done) continue
    this.#header = header
    if (this.#progress.offset === 0) this.#progress = { ...this.#progress, offset: header.length }
    return true
  }

  async #take(range: Range, isPending: boolean): Promise<void> {
    const { log } = this.#parts
    const receivedAt = isPending ? this.#progress.received_at : Date.now()
    const messages = await this.#messagesOf(range, receivedAt)
    if (isPending) await log.appendMessages(await missingMessages(log, messages, this.#progress.ends))
    else if (messages.length > 0) {
      await this.#saveProgress({ pending: range.bytes.length, received_at: receivedAt })
      await log.appendMessages(messages)
    }
    this.#progress = { ...this.#progress, offset: this.#progress.offset + range.bytes.length, pending: 0 }
  }

  async #messagesOf(range: Range, receivedAt: number): Promise<LaneMessage[]> {
    if (range.kind === 'rest') return []
    if (range.kind === 'long') return [this.#bad('too_large', 'The record is too long.', '', receivedAt)]
    const batch = new RowBatch(this.#format, ROWS_PER_TURN)
    const messages: LaneMessage[] = []
    const take = async (): Promise<void> => {
      messages.push(...this.#messagesOfBatch(batch, receivedAt))
      batch.clear()
      await nextTurn()
    }
    try {
      const pieces = this.#header === undefined ? [range.bytes] : [this.#header, range.bytes]
      for await (const rows of this.#format.rows(piecesOf(...pieces))) {
        for (const row of rows) {
          if (batch.add(row)) continue
          await take()
          batch.add(row)
        }
      }
    } catch (error) {
      // Broken quotes: where the next record begins is unknown, so the whole range is kept for people to look at.
      return [this.#bad('not_an_object', (error as Error).message, range.bytes.toString(), receivedAt)]
    }
    if (batch.rows.length > 0) await take()
    return messages
  }

  #messagesOfBatch(batch: RowBatch, receivedAt: number): LaneMessage[] {
    const { log, intake, count } = this.#parts
    const { app } = this.#file
    // Equal records in a file of another system count as one record that was written again.
    const options = { app, receivedAt, historical: false, before: () => 0, seqBase: this.#progress.offset }
    const { envelopes, rejected } = intake.take(batch.toOffline(options))
    count('accepted', batch.rows.length - rejected.length)
    count('rejected', rejected.length)
    const messages: LaneMessage[] = envelopes.flatMap(({ rejected: _, ...envelope }) =>
      envelope.events.length === 0
        ? []
        : [{ lane: laneOf(app.id, envelope.device_id, log.lanes), value: encodeEnvelope(envelope) }],
    )
    for (const { index, reason, message } of rejected) {
      const row = batch.rows[index]!
      const why = row.flaw === undefined ? message : `It ${row.flaw}.`
      messages.push(this.#bad(reason, why, recordOf(row), receivedAt))
    }
    return messages
  }

  #bad(reason: string, message: string, record: string, receivedAt: number): LaneMessage {
    const { path, app } = this.#file
    const bad = { app: app.id, source: path, place: `byte ${this.#progress.offset}`, reason, message, record }
    return badRecordMessage(bad, receivedAt, this.#parts.log.lanes)
  }

  async #saveProgress(changes: Partial<ExternalProgress>): Promise<void> {
    const { log, registry } = this.#parts
    const { path, size, mtimeMs } = this.#file
    const { id, offset } = this.#progress
    const tail = isCompressed(path) ? '' : await tailOf(path, offset)
    const found = { path, size, mtime_ms: mtimeMs, tail, ends: await log.ends() }
    this.#progress = { ...this.#progress, ...found, ...changes }
    await registry.externals.put('', id, this.#progress)
  }
}

/** Returns the id of the progress of a file. A file keeps it when it is renamed. */
export function externalId({ app, device, inode }: Pick<FoundFile, 'app' | 'device' | 'inode'>): string {
  return `${app.id}/${device}-${inode}`
}

function newProgress(id: string, { path, size, mtimeMs }: FoundFile): ExternalProgress {
  const nothing = { offset: 0, tail: '', pending: 0, ends: [], received_at: 0, is_whole: false }
  return { id, path, size, mtime_ms: mtimeMs, ...nothing }
}

/** A file that only grew still begins with the content that was read before. A compressed file cannot grow. */
async function isSameFile(known: ExternalProgress, { path, size, mtimeMs }: FoundFile): Promise<boolean> {
  if (isCompressed(path)) return known.size === size && known.mtime_ms === mtimeMs
  return size >= known.offset + known.pending && known.tail === (await tailOf(path, known.offset))
}

async function* piecesOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}

function recordOf({ value, raw }: Row): string {
  return raw === undefined ? JSON.stringify(value ?? null) : Buffer.from(raw).toString()
}

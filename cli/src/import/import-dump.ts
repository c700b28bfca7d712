import { HopperError, type Funnel, type FunnelMark, type LaneBackfill } from '@hopper/contracts'
import { ForgottenMessages, ImportedLog, type Appended, type Collection, type Storage } from '@hopper/storage'
import type { DumpCounts, DumpedRecord } from '../export/dump-lines.ts'
import { dumpEntries, type DumpMessage } from './dump-entries.ts'
import { StagePasts } from './stage-pasts.ts'

export interface Imported extends DumpCounts {
  /** messages that an earlier run has appended */
  readonly skipped: number
}

/** Reports the progress of an import, in messages. */
export type ImportReport = (messages: number) => void

/**
 * Reads a dump to its end and returns its counts.
 * @throws HopperError HOP_CONFIG for anything but a complete dump
 */
export async function verifyDump(lines: AsyncIterable<string>): Promise<DumpCounts> {
  const entries = dumpEntries(lines)
  for (;;) {
    const { done, value } = await entries.next()
    if (done) return value
  }
}

/**
 * Reads a dump into an installation. Records are created or replaced, funnels after the messages; messages are appended
 * byte for byte in the order of their lanes. An import that is run again, even after an interruption or with a
 * truncated dump, continues after the messages that it has appended. Another dump of the same installation counts no
 * event twice: its events are duplicates. Events of persons who were forgotten here are left out.
 * @throws HopperError HOP_CONFIG for an invalid, truncated or modified dump, and for an app that belongs to another
 * organization here
 */
export async function importDump(
  storage: Storage,
  lines: AsyncIterable<string>,
  report: ImportReport,
): Promise<Imported> {
  const entries = dumpEntries(lines)
  const forgotten = new ForgottenMessages(storage.registry)
  const { reader } = storage
  const { lanes } = storage.log
  const pasts = new StagePasts(lanes)
  const onPlaced = ({ lane, position, envelope }: DumpMessage, at: Appended): void =>
    pasts.place({ lane, position, app: envelope!.app }, at)
  let log: ImportedLog<DumpMessage> | undefined
  let reported = -1
  for (;;) {
    const { done, value } = await entries.next()
    if (done) {
      await log!.finish()
      await pasts.store(storage.registry, await storage.log.ends())
      return { ...value, skipped: log!.skipped }
    }
    if ('hopper' in value) log = await ImportedLog.open(storage, value.id, { onPlaced })
    else if ('kind' in value) await putRecord(storage, value, pasts)
    else {
      const kept = value.envelope ? await forgotten.appended(value.value, { reader, lanes }) : value.value
      await log!.add({ ...value, value: Buffer.from(kept) })
      if (log!.appended === reported) continue
      reported = log!.appended
      report(reported)
    }
  }
}

async function putRecord(
  { registry }: Storage,
  { kind, owner, id, record }: DumpedRecord,
  pasts: StagePasts,
): Promise<void> {
  // These are stored when the messages are.
  if (kind === 'funnels') return pasts.addFunnel(owner, record as Funnel)
  if (kind === 'backfills') return pasts.addBackfill(owner, record as LaneBackfill)
  if (kind === 'apps') {
    const known = await registry.app(id)
    if (known && known.organization !== owner) {
      throw new HopperError('HOP_CONFIG', `The app ${JSON.stringify(id)} belongs to another organization here.`)
    }
  }
  if (kind === 'funnelMarks') {
    // Ids that were used here stay used too.
    const [known, mark] = [await registry.funnelMarks.get(owner, id), record as FunnelMark]
    if (known && known.highest >= mark.highest) return
  }
  await (registry[kind] as Collection<object>).put(owner, id, record)
}

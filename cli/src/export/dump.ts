import { createHash, randomUUID } from 'node:crypto'
import { backfillId, HopperError, type LaneBackfill } from '@hopper/contracts'
import { ForgottenMessages, laneMessages, type Storage } from '@hopper/storage'
import { DumpTally } from './dump-counts.ts'
import {
  DUMP_VERSION,
  dumpedAppKinds,
  dumpedKinds,
  type DumpCounts,
  type DumpedKind,
  type DumpedRecord,
  type DumpEnd,
  type DumpHead,
} from './dump-lines.ts'
import { dumpMessage } from './dump-message.ts'

export interface DumpRequest {
  /** Dumps a log that has lost messages instead of refusing it. */
  readonly partial?: boolean | undefined
}

/** Receives results as soon as the dump knows them. */
export interface DumpReport {
  /** something that the dump leaves out, and why */
  onLeftOut(message: string): void
  onDone(counts: DumpCounts): void
}

/**
 * Yields the data that an installation cannot recount as lines of JSON: its registry, then its log, lane by lane. The
 * last line is a manifest of the others. Messages that arrive during the dump may be missing.
 * @throws HopperError HOP_CONFIG for a log that has lost messages, unless `partial` is set
 */
export async function* dumpInstallation(
  storage: Storage,
  request: DumpRequest,
  report: DumpReport,
): AsyncGenerator<string> {
  const { lanes } = storage.log
  const tally = new DumpTally(lanes)
  const hash = createHash('sha256')
  const head: DumpHead = {
    hopper: 'dump',
    version: DUMP_VERSION,
    id: randomUUID(),
    lanes,
    made_at: new Date().toISOString(),
  }
  for await (const line of contents(storage, head, tally, request, report)) {
    hash.update(line)
    yield line
  }
  yield lineOf({ end: true, ...tally.counts, sha256: hash.digest('hex') } satisfies DumpEnd)
  report.onDone(tally.counts)
}

async function* contents(
  storage: Storage,
  head: DumpHead,
  tally: DumpTally,
  request: DumpRequest,
  report: DumpReport,
): AsyncGenerator<string> {
  yield lineOf(head)
  for await (const record of dumpRegistry(storage, report)) {
    tally.addRecord(record.kind)
    yield lineOf(record)
  }
  yield* dumpLog(storage, tally, request, report)
}

async function* dumpLog(
  { log, registry, reader }: Storage,
  tally: DumpTally,
  { partial }: DumpRequest,
  report: DumpReport,
): AsyncGenerator<string> {
  const missing = (lane: number, from: number, to: number): void => {
    const range = `from position ${from} to ${to - 1}`
    const message = `Lane ${lane} of the log lacks the messages ${range}: they are gone or damaged.`
    if (!partial)
      throw new HopperError(
        'HOP_CONFIG',
        `${message} "--partial" dumps the rest; the archive has the events, see "hopper export --app".`,
      )
    report.onLeftOut(message)
  }
  const forgotten = new ForgottenMessages(registry)
  for (const [lane, last] of (await log.ends()).entries()) {
    let next = 0
    for await (const messages of laneMessages(log, lane, 0, last)) {
      for (const { position, value, isDamaged } of messages) {
        if (position > next) missing(lane, next, position)
        next = position + 1
        if (isDamaged) {
          missing(lane, position, next)
          continue
        }
        const kept = await forgotten.ofLog({ position, value }, reader)
        tally.addMessage({ lane, value: kept })
        yield dumpMessage(lane, position, kept)
      }
    }
  }
}

async function* dumpRegistry({ registry }: Storage, report: DumpReport): AsyncGenerator<DumpedRecord> {
  const [organizations, apps] = [await registry.organizations.list(''), await registry.apps.list()]
  for (const kind of dumpedKinds) {
    let dumped = 0
    for (const owner of ownersOf(
      kind,
      organizations.map(({ id }) => id),
      apps.map(({ id }) => id),
    )) {
      for (const record of await registry[kind].list(owner)) {
        dumped++
        yield { kind, owner, id: idOf(kind, record), record }
      }
    }
    const orphans = (await registry[kind].list()).length - dumped
    if (orphans > 0)
      report.onLeftOut(`${orphans} ${kind} are left out: their organization or app is not in the registry.`)
  }
}

function ownersOf(kind: DumpedKind, organizations: readonly string[], apps: readonly string[]): readonly string[] {
  if (kind === 'organizations') return ['']
  const ofApps: readonly DumpedKind[] = dumpedAppKinds
  return ofApps.includes(kind) ? apps : organizations
}

/** Returns the id under which a record of this kind is stored. */
export function idOf(kind: DumpedKind, record: object): string {
  const fields = record as Partial<Record<'id' | 'hash' | 'xpath' | 'name' | 'member', string>>
  switch (kind) {
    case 'keys':
      return fields.hash ?? ''
    case 'elements':
      return fields.xpath ?? ''
    case 'properties':
      return fields.name ?? ''
    case 'backfills':
      return backfillId(record as LaneBackfill)
    case 'secondFactors':
    case 'providerLinks':
      return fields.member ?? ''
    case 'recoveryCodes':
      return `${fields.member} ${fields.hash}`
    case 'organizations':
    case 'apps':
    case 'members':
    case 'funnels':
    case 'funnelMarks':
    case 'alerts':
    case 'sharedLinks':
    case 'annotations':
      return fields.id ?? ''
  }
}

function lineOf(line: DumpHead | DumpedRecord | DumpEnd): string {
  return `${JSON.stringify(line)}\n`
}

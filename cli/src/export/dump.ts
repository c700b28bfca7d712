import type { Storage } from '@hopper/storage'
import { DUMP_VERSION, dumpedKinds, type DumpLine, type DumpedKind, type DumpedRecord } from './dump-lines.ts'
import { laneMessages } from './lane-messages.ts'

/** All that an installation can not recount: its registry and its log, lane by lane, as lines of JSON. Events that come meanwhile may be missing. */
export async function* dumpInstallation(storage: Storage): AsyncGenerator<string> {
  yield lineOf({ hopper: 'dump', version: DUMP_VERSION, lanes: storage.log.lanes, made_at: new Date().toISOString() })
  const end = { records: 0, envelopes: 0, left_out: 0 }
  for await (const record of dumpRegistry(storage)) {
    end.records++
    yield lineOf(record)
  }
  yield* dumpLog(storage, end)
  yield lineOf({ end: true, ...end })
}

async function* dumpLog({ log }: Storage, end: { envelopes: number; left_out: number }): AsyncGenerator<string> {
  for (const [lane, last] of (await log.ends()).entries()) {
    for await (const messages of laneMessages(log, lane, 0, last)) {
      for (const { value } of messages) {
        const envelope = objectOf(value)
        if (envelope) {
          end.envelopes++
          yield lineOf({ lane, envelope })
        } else end.left_out++
      }
    }
  }
}

async function* dumpRegistry({ registry }: Storage): AsyncGenerator<DumpedRecord> {
  const [organizations, apps] = [await registry.organizations.list(''), await registry.apps.list()]
  for (const kind of dumpedKinds) {
    for (const owner of ownersOf(kind, organizations.map(({ id }) => id), apps.map(({ id }) => id))) {
      for (const record of await registry[kind].list(owner)) yield { kind, owner, id: idOf(kind, record), record }
    }
  }
}

function ownersOf(kind: DumpedKind, organizations: readonly string[], apps: readonly string[]): readonly string[] {
  if (kind === 'organizations') return ['']
  return kind === 'funnels' || kind === 'elements' ? apps : organizations
}

/** Under which id a record of this kind stands. */
export function idOf(kind: DumpedKind, record: object): string {
  const { id, hash, xpath } = record as { id?: string; hash?: string; xpath?: string }
  return (kind === 'keys' ? hash : kind === 'elements' ? xpath : id) ?? ''
}

/** Parsed and written again, so that a line is always one line. */
function objectOf(value: Uint8Array): object | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8'))
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

function lineOf(line: DumpLine): string {
  return `${JSON.stringify(line)}\n`
}

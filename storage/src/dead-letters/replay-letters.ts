import { hash } from 'node:crypto'
import type { Envelope } from '@hopper/contracts'
import { ForgottenMessages } from '../forgotten/forgotten-messages.ts'
import { ImportedLog } from '../imported-log.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { Registry } from '../ports/registry.ts'
import type { TableReader, TableWriter } from '../ports/tables.ts'
import { findLetters, type FoundLetter, type LetterQuery } from './find-letters.ts'
import { isCountable, readMessage } from './read-message.ts'

/** Stores that a replay reads and writes. */
export interface ReplayStore {
  readonly log: EventLog
  readonly reader: Pick<TableReader, 'deadLettersFrom' | 'seen'>
  readonly writer: Pick<TableWriter, 'removeDeadLetters' | 'markReplayed'>
  readonly registry: Registry
}

export interface Replayed {
  readonly replayed: number
  /** letters that still cannot be counted */
  readonly left: number
}

/**
 * Appends dead letters to the log again, byte for byte, but without events of persons who were forgotten. Each is
 * appended once even if the replay is interrupted: a letter is removed only when its message is durable, and until then
 * the progress of its append is stored, like that of an import. Its old position is marked, so that an audit and a
 * rebuild count it only at the new one. A letter that still cannot be counted stays where it is.
 */
export async function replayLetters(
  store: ReplayStore,
  query: LetterQuery,
  onLeft: (letter: FoundLetter, why: string) => void,
): Promise<Replayed> {
  let [replayed, left] = [0, 0]
  for await (const letter of findLetters(store, query)) {
    const why = await replayLetter(store, letter)
    if (why === undefined) replayed++
    else {
      left++
      onLeft(letter, why)
    }
  }
  return { replayed, left }
}

/**
 * Appends one dead letter to the log again; with `corrected`, that message in its place. Returns why it stays where it
 * is; undefined when it was appended.
 */
export async function replayLetter(
  store: ReplayStore,
  letter: FoundLetter,
  corrected?: Uint8Array,
): Promise<string | undefined> {
  const { lane, position } = letter
  const value = corrected ?? letter.value
  const read = await readMessage({ position, value }, (id) => store.registry.app(id))
  if (!isCountable(read)) {
    const flaw = corrected ? `${read.reason}: ${read.detail}` : read.reason
    return `it ${corrected ? '' : 'still '}cannot be counted: ${flaw}`
  }
  // An interrupted replay is completed by the same content only: any other would be appended beside it.
  const plainName = `replay ${lane}/${position}`
  const name = corrected ? `${plainName} ${hash('sha256', corrected)}` : plainName
  const interrupted = (await store.registry.imports.list('')).find(
    ({ dump }) => dump !== name && (dump === plainName || dump.startsWith(`${plainName} `)),
  )
  if (interrupted) return 'an earlier replay of it, with other content, was interrupted; repeat that one first'
  const forgotten = new ForgottenMessages(store.registry)
  const kept = await forgotten.appended(value, { reader: store.reader, lanes: store.log.lanes })
  await replay(store, letter, { name, value: kept, envelope: read.envelope })
  return undefined
}

async function replay(
  store: ReplayStore,
  { lane, position }: FoundLetter,
  { name, value, envelope }: { readonly name: string; readonly value: Uint8Array; readonly envelope: Envelope },
): Promise<void> {
  const log = await ImportedLog.open(store, name)
  await log.add({ lane, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength), envelope })
  await log.finish()
  // From here on every recount takes the message at its new position only.
  await store.writer.markReplayed?.(lane, [position])
  await store.writer.removeDeadLetters(lane, [position])
  await store.registry.imports.remove('', name)
}

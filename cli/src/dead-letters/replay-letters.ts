import { ForgottenMessages, isCountable, readMessage } from '@hopper/aggregator'
import type { Envelope } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import { ImportedLog } from '../import/imported-log.ts'
import { findLetters, type FoundLetter, type LetterQuery } from './find-letters.ts'

export interface Replayed {
  readonly replayed: number
  /** letters that still cannot be counted */
  readonly left: number
}

/**
 * Appends dead letters to the log again, byte for byte. Each is appended once even if the replay is interrupted: a
 * letter is removed only when its message is durable, and until then the progress of its append is stored, like that of
 * an import. Its old position is marked, so that an audit and a rebuild count it only at the new one. A letter that
 * still cannot be counted stays where it is. Events of persons who were forgotten are left out.
 */
export async function replayLetters(
  storage: Storage,
  query: LetterQuery,
  onLeft: (letter: FoundLetter, why: string) => void,
): Promise<Replayed> {
  const { registry, reader, log } = storage
  const forgotten = new ForgottenMessages(registry)
  let [replayed, left] = [0, 0]
  for await (const letter of findLetters(storage, query)) {
    const read = await readMessage(letter, (id) => registry.app(id))
    if (isCountable(read)) {
      const value = await forgotten.appended(letter.value, { reader, lanes: log.lanes })
      await replay(storage, { ...letter, value }, read.envelope)
      replayed++
    } else {
      left++
      onLeft(letter, `it still cannot be counted: ${read.reason}`)
    }
  }
  return { replayed, left }
}

async function replay(storage: Storage, { lane, position, value }: FoundLetter, envelope: Envelope): Promise<void> {
  const name = `replay ${lane}/${position}`
  const log = await ImportedLog.open(storage, name)
  await log.add({ lane, position, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength), envelope })
  await log.finish()
  // From here on every recount takes the message at its new position only.
  await storage.writer.markReplayed?.(lane, [position])
  await storage.writer.removeDeadLetters(lane, [position])
  await storage.registry.imports.remove('', name)
}

import { isCountable, readMessage } from '@hopper/aggregator'
import type { Envelope } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import { ImportedLog } from '../import/imported-log.ts'
import { findLetters, type FoundLetter, type LetterQuery } from './find-letters.ts'

export interface Replayed {
  readonly replayed: number
  /** those that still cannot be counted */
  readonly left: number
}

/**
 * Appends dead letters to the log again, byte for byte, each once however often this is interrupted: a letter is
 * removed when its message is durable, and the progress of its append is kept until then, as that of an import. Its old
 * place is marked, so that an audit and a rebuild count it where it is now. What still cannot be counted is left where
 * it is.
 */
export async function replayLetters(
  storage: Storage,
  query: LetterQuery,
  onLeft: (letter: FoundLetter, why: string) => void,
): Promise<Replayed> {
  const { registry } = storage
  let [replayed, left] = [0, 0]
  for await (const letter of findLetters(storage, query)) {
    const read = await readMessage(letter, (id) => registry.app(id))
    if (isCountable(read)) {
      await replay(storage, letter, read.envelope)
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
  // From here on every recount takes the message at its new place only.
  await storage.writer.markReplayed?.(lane, [position])
  await storage.writer.removeDeadLetters(lane, [position])
  await storage.registry.imports.remove('', name)
}

import { HopperError, type Envelope } from '@hopper/contracts'
import type { Collection, Storage } from '@hopper/storage'
import type { DumpedRecord } from '../export/dump-lines.ts'
import { checkHead, parseLine } from './parse-line.ts'

const ENVELOPES_PER_APPEND = 500

export interface Imported {
  readonly records: number
  readonly envelopes: number
}

/**
 * Reads a dump into an installation: its records are created or replaced, its envelopes appended in the order of their lanes, so that those of a
 * device keep theirs, whatever the number of lanes is here. Run again, or after it was cut, it counts nothing twice: the events are duplicates then.
 * @throws HopperError HOP_CONFIG for what is no dump, for one that was cut, and for an app that is another organization's here
 */
export async function importDump(storage: Storage, lines: AsyncIterable<string>, progress: (imported: Imported) => void): Promise<Imported> {
  const imported = { records: 0, envelopes: 0 }
  let waiting: Envelope[] = []
  let number = 0
  let ended = false
  const append = async (): Promise<void> => {
    await storage.log.append(waiting)
    imported.envelopes += waiting.length
    waiting = []
    progress(imported)
  }
  for await (const text of lines) {
    if (ended) throw new HopperError('HOP_CONFIG', 'The dump goes on behind its end.')
    const line = parseLine(text, ++number)
    if (number === 1) checkHead(line)
    if ('envelope' in line) {
      waiting.push(line.envelope)
      if (waiting.length >= ENVELOPES_PER_APPEND) await append()
    } else if ('kind' in line) {
      await putRecord(storage, line)
      imported.records++
    } else if ('end' in line) {
      await append()
      ended = line.records === imported.records && line.envelopes === imported.envelopes
    }
  }
  if (number === 0) checkHead(undefined)
  if (!ended) {
    throw new HopperError('HOP_CONFIG', 'The dump was cut: it lacks its end. What it has is imported; importing a whole one counts nothing twice.')
  }
  return imported
}

async function putRecord({ registry }: Storage, { kind, owner, id, record }: DumpedRecord): Promise<void> {
  if (kind === 'apps') {
    const known = await registry.app(id)
    if (known && known.organization !== owner) {
      throw new HopperError('HOP_CONFIG', `The app ${JSON.stringify(id)} belongs to another organization here.`)
    }
  }
  await (registry[kind] as Collection<object>).put(owner, id, record)
}

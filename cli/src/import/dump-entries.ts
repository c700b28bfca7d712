import { createHash } from 'node:crypto'
import { HopperError, type Envelope } from '@hopper/contracts'
import { differencesOf, DumpTally } from '../export/dump-counts.ts'
import type { DumpCounts, DumpedRecord, DumpEnd, DumpHead } from '../export/dump-lines.ts'
import { checkHead, parseLine, type ParsedMessage } from './parse-line.ts'

const DIFFERENCES_SHOWN = 5

/** A message of a dump; `envelope` is undefined when the message cannot be decoded. */
export interface DumpMessage extends ParsedMessage {
  readonly envelope: Envelope | undefined
}

/**
 * Yields the entries of a dump, its head first; returns their counts at the end.
 * @throws HopperError HOP_CONFIG at the first invalid line, and at the end when the dump was truncated or differs from
 * its manifest
 */
export async function* dumpEntries(
  lines: AsyncIterable<string>,
): AsyncGenerator<DumpHead | DumpedRecord | DumpMessage, DumpCounts> {
  const hash = createHash('sha256')
  let number = 0
  let tally: DumpTally | undefined
  let end: DumpEnd | undefined
  for await (const text of lines) {
    if (end) throw new HopperError('HOP_CONFIG', 'The dump continues after its end.')
    const line = parseLine(text, ++number)
    if (number === 1) tally = new DumpTally(checkHead(line).lanes)
    if ('end' in line) {
      end = line
      continue
    }
    hash.update(text).update('\n')
    if ('value' in line && line.lane >= tally!.lanes)
      throw new HopperError('HOP_CONFIG', `Line ${number} names lane ${line.lane}; the dump has ${tally!.lanes}.`)
    if ('value' in line) yield { ...line, envelope: tally!.addMessage(line) }
    else {
      if ('kind' in line) tally!.addRecord(line.kind)
      yield line
    }
  }
  if (!tally) checkHead(undefined)
  if (!end)
    throw new HopperError('HOP_CONFIG', `The dump is truncated: it lacks its end, after ${number} lines. Export again.`)
  return verify(tally!.counts, end, hash.digest('hex'))
}

function verify(counts: DumpCounts, { end: _, sha256, ...manifest }: DumpEnd, found: string): DumpCounts {
  const differences = differencesOf(counts, manifest)
  if (differences.length > 0) {
    const shown = differences.slice(0, DIFFERENCES_SHOWN).join('; ')
    const more = differences.length > DIFFERENCES_SHOWN ? `; and ${differences.length - DIFFERENCES_SHOWN} more` : ''
    throw new HopperError('HOP_CONFIG', `The dump does not match its manifest. ${shown}${more}.`)
  }
  if (found !== sha256)
    throw new HopperError('HOP_CONFIG', 'The dump was modified: its lines do not have the checksum in its manifest.')
  return counts
}

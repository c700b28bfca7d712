import { createHash } from 'node:crypto'
import { isObject, type ChunkSummary, type EncodedChunk } from '@hopper/contracts'
import { eventsOfChunk } from '@hopper/engine'
import { readAhead, type Archive } from '@hopper/storage'
import { fetchChunks } from '../installation/archived-events.ts'
import type { LaneLease } from '../installation/lane-lease.ts'

const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER }

/**
 * Replaces each month of a lane's archive by its staged version where their events differ, in one step for every
 * reader.
 */
export async function replaceArchive(readers: Archive, staged: Archive, held: LaneLease, app: string): Promise<void> {
  const { lane } = held.lease
  const [present, recounted] = (
    await Promise.all([readers, staged].map((each) => each.list({ app, lane, ...ALL })))
  ).map(monthsOf) as [Months, Months]
  for (const month of [...new Set([...present.keys(), ...recounted.keys()])].sort()) {
    const [old, counted] = [present.get(month) ?? [], recounted.get(month) ?? []]
    // Continues after an unreadable chunk: it is replaced.
    const found = await digestOf(readers, old).catch(() => undefined)
    if (found === (await digestOf(staged, counted))) continue
    const encoded = await encodedOf(staged, counted)
    if (old.length > 0) await readers.replace(held.lease, spansOf(old), encoded)
    else await readers.append(held.lease, encoded)
  }
}

type Months = ReadonlyMap<string, readonly ChunkSummary[]>

/** Groups chunks by the month of their manifest. */
function monthsOf(chunks: readonly ChunkSummary[]): Months {
  return Map.groupBy(chunks, ({ date }) => date.slice(0, 7))
}

/** Returns one part of each span. */
function spansOf(chunks: readonly ChunkSummary[]): ChunkSummary[] {
  return chunks.filter(({ part }) => part === 0)
}

/** Returns a digest of events that does not depend on their order or on the cuts into chunks. */
async function digestOf(archive: Archive, chunks: readonly ChunkSummary[]): Promise<string> {
  const sum = [0, 0, 0, 0]
  let events = 0
  for await (const chunk of fetchChunks(archive, chunks)) {
    for (const event of eventsOfChunk(chunk, ALL)) {
      const hash = createHash('sha256').update(JSON.stringify(event, sortedKeys)).digest()
      for (let index = 0; index < sum.length; index++) sum[index] = (sum[index]! + hash.readUInt32LE(index * 4)) >>> 0
      events++
    }
  }
  return JSON.stringify([events, sum])
}

function sortedKeys(_: string, value: unknown): unknown {
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function encodedOf(archive: Archive, chunks: readonly ChunkSummary[]): Promise<EncodedChunk[]> {
  const encoded: EncodedChunk[] = []
  const read = async (summary: ChunkSummary): Promise<EncodedChunk> => ({
    summary,
    columns: await archive.columns(summary, Object.keys(summary.columns)),
  })
  for await (const each of readAhead(chunks, read, { concurrency: 8 })) encoded.push(each)
  return encoded
}

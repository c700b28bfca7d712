import { HopperError, type DateCover, type EncodedChunk } from '@hopper/contracts'
import type { SpanKey } from './ports/archive.ts'
import type { Lease } from './ports/tables.ts'

/** The name of a span in messages and in memory. */
export function spanName({ app, date, lane, first_position, last_position }: SpanKey): string {
  return `${app}/${date}/${lane}/${first_position}-${last_position}`
}

/**
 * Groups chunks by span, in the order of their positions. A span without one of its parts would lose events for every
 * reader.
 * @throws HopperError HOP_INTERNAL when a span lacks a part, or belongs to another lane than the lease
 */
export function wholeSpans(lease: Lease, chunks: readonly EncodedChunk[]): EncodedChunk[][] {
  const spans = new Map<string, EncodedChunk[]>()
  for (const chunk of chunks) {
    const name = spanName(chunk.summary)
    const parts = spans.get(name)
    if (parts) parts.push(chunk)
    else spans.set(name, [chunk])
  }
  for (const [name, parts] of spans) {
    const { lane, parts: expected } = parts[0]!.summary
    if (lane !== lease.lane) throw wrongLane(lease, lane)
    if (parts.length !== expected || new Set(parts.map(({ summary }) => summary.part)).size !== expected) {
      throw new HopperError('HOP_INTERNAL', `The span ${name} lacks a part.`)
    }
  }
  return [...spans.values()].sort(([a], [b]) => a!.summary.first_position - b!.summary.first_position)
}

/** The positions that a span covers, by date. */
export function datesOfSpan([first]: readonly EncodedChunk[]): readonly DateCover[] {
  const { date, first_position, last_position } = first!.summary
  return first!.dates ?? [{ date, first_position, last_position }]
}

/** Returns the error for a write to a lane with the lease of another: a mistake of the caller. */
export function wrongLane(lease: Lease, lane: number): HopperError {
  return new HopperError('HOP_INTERNAL', `The lease of lane ${lease.lane} cannot write lane ${lane}.`)
}

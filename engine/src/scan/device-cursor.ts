import type { Chunk, Runs } from '../chunk/chunk.ts'

/** The parts of one span: chunks of a lane, ascending by device hash. */
export type Span = readonly Chunk[]

interface Source<P> {
  readonly span: Span
  part: number
  run: number
  runs: Runs
  prepared: P
}

/**
 * Iterates over the devices of several sorted spans of one lane, each device once, ascending by hash. `prepare` is
 * called for each chunk when the cursor enters it, so that only one chunk of a span is in use at a time.
 */
export class DeviceCursor<P> {
  /** the current device */
  key = 0
  rest = 0
  /** its rows, in `segments` ranges, oldest span first */
  segments = 0
  readonly prepared: P[] = []
  readonly begins: number[] = []
  readonly ends: number[] = []
  /** the device's run in the chunk of its first segment, and in the chunk of each segment */
  run = 0
  readonly runs: number[] = []
  readonly #prepare: (chunk: Chunk) => P
  readonly #sources: Source<P>[] = []

  constructor(spans: readonly Span[], prepare: (chunk: Chunk) => P) {
    this.#prepare = prepare
    for (const span of spans) {
      const first = span[0]
      if (first) this.#sources.push({ span, part: 0, run: 0, runs: first.runs(), prepared: prepare(first) })
    }
  }

  /** Advances to the next device; false after the last. */
  next(): boolean {
    const sources = this.#sources
    if (sources.length === 0) return false
    let key = sources[0]!.runs.keys[sources[0]!.run]!
    let rest = sources[0]!.runs.rests[sources[0]!.run]!
    for (let s = 1; s < sources.length; s++) {
      const { runs, run } = sources[s]!
      const k = runs.keys[run]!
      if (k < key || (k === key && runs.rests[run]! < rest)) {
        key = k
        rest = runs.rests[run]!
      }
    }
    this.key = key
    this.rest = rest
    this.segments = 0
    for (let s = 0; s < sources.length; s++) {
      const source = sources[s]!
      while (source.runs.keys[source.run] === key && source.runs.rests[source.run] === rest) {
        if (this.segments === 0) this.run = source.run
        this.runs[this.segments] = source.run
        this.prepared[this.segments] = source.prepared
        this.begins[this.segments] = source.runs.starts[source.run]!
        this.ends[this.segments] = source.runs.starts[source.run + 1]!
        this.segments++
        if (!this.#advance(source)) {
          sources.splice(s--, 1)
          break
        }
      }
    }
    return true
  }

  #advance(source: Source<P>): boolean {
    if (++source.run < source.runs.keys.length) return true
    const chunk = source.span[++source.part]
    if (!chunk) return false
    source.run = 0
    source.runs = chunk.runs()
    source.prepared = this.#prepare(chunk)
    return true
  }
}

/** Groups chunks of a lane into spans, the earliest positions first. */
export function spansOf(chunks: readonly Chunk[]): Span[] {
  const spans = new Map<string, Chunk[]>()
  for (const chunk of chunks) {
    const { date, first_position, last_position } = chunk.summary
    const name = `${date}/${first_position}/${last_position}`
    const span = spans.get(name)
    if (span) span.push(chunk)
    else spans.set(name, [chunk])
  }
  for (const span of spans.values()) span.sort((a, b) => a.summary.part - b.summary.part)
  return [...spans.values()].sort(
    (a, b) =>
      a[0]!.summary.min_time - b[0]!.summary.min_time || a[0]!.summary.first_position - b[0]!.summary.first_position,
  )
}

import { hasSession, sessionColumns, sessionEventColumns, sessionEvents, type SessionEvent } from '@hopper/engine'
import { batchesOf } from '../batches.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'
import type { QueryOf, SessionResult } from '../query.ts'
import { prefetchChunks } from './prefetch-chunks.ts'

/** Collects the events of a session that count. They may have several devices, so every lane is searched. */
export async function runSession(
  { request }: QueryOf<'session'>,
  { chunks }: QueryJob,
  runtime: QueryRuntime,
): Promise<SessionResult> {
  const children = new Children(request.limit)
  let [started, ended] = [Infinity, -Infinity]
  for await (const { mark, ...event } of eventsOf(request, chunks, runtime)) {
    if (mark === 'SESSION_START') started = Math.min(started, event.timestamp)
    else if (mark === 'SESSION_END') ended = Math.max(ended, event.timestamp)
    else children.add(event)
  }
  return {
    ...(started < Infinity ? { started } : {}),
    ...(ended > -Infinity ? { ended } : {}),
    ...children.result(),
  }
}

async function* eventsOf(
  request: QueryOf<'session'>['request'],
  chunks: QueryJob['chunks'],
  runtime: QueryRuntime,
): AsyncGenerator<SessionEvent> {
  const fetches = chunks.map((summary) => ({ summary, names: sessionColumns }))
  for await (const batch of prefetchChunks(batchesOf(fetches), runtime)) {
    const present = batch.filter((chunk) => hasSession(chunk, request.id)).map(({ summary }) => summary)
    for (const some of batchesOf(present.map((summary) => ({ summary, names: sessionEventColumns(summary) }))))
      for (const chunk of await runtime.source.chunks(some)) {
        runtime.budget.check()
        yield* sessionEvents(chunk, request.id, request)
      }
  }
}

type Child = Omit<SessionEvent, 'mark'>

/** Keeps the earliest events, of any number in any order. */
class Children {
  readonly #limit: number
  #kept: Child[] = []
  #hasMore = false

  constructor(limit: number) {
    this.#limit = limit
  }

  add(child: Child): void {
    this.#kept.push(child)
    if (this.#kept.length >= this.#limit * 2) this.#cut()
  }

  result(): Pick<SessionResult, 'children' | 'hasMore'> {
    this.#cut()
    return { children: this.#kept.map(({ timestamp, name }) => ({ timestamp, name })), hasMore: this.#hasMore }
  }

  #cut(): void {
    this.#hasMore ||= this.#kept.length > this.#limit
    this.#kept = this.#kept
      .sort((a, b) => a.timestamp - b.timestamp || a.seq - b.seq || a.position - b.position || a.index - b.index)
      .slice(0, this.#limit)
  }
}

import type { ArchivedEvent } from '@hopper/contracts'
import { eventsOfRun } from '@hopper/engine'
import type { QueryJob } from '../pool/query-job.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'
import type { QueryOf, SessionResult } from '../query.ts'
import { deviceOf, runsOfDevices } from './device-runs.ts'

/** The key of `data` by which a WebSocket marks the events that begin and end a session. */
const MARK = 'session_message'

/** Collects the events of a session of a device that count. */
export async function runSession(
  { request }: QueryOf<'session'>,
  { app, chunks }: QueryJob,
  runtime: QueryRuntime,
): Promise<SessionResult> {
  const { id, device, lanes, limit } = request
  const children = new Children(limit)
  let [started, ended] = [Infinity, -Infinity]
  for await (const { chunk, run } of runsOfDevices([deviceOf(app, device)], chunks, lanes, runtime)) {
    for (const archived of eventsOfRun(chunk, run, request, () => true)) {
      const { event, context } = archived
      if (event.session_id !== id || context.bot !== undefined) continue
      const mark = markOf(archived)
      if (mark === 'SESSION_START') started = Math.min(started, event.timestamp)
      else if (mark === 'SESSION_END') ended = Math.max(ended, event.timestamp)
      else children.add(archived)
    }
  }
  return {
    ...(started < Infinity ? { started } : {}),
    ...(ended > -Infinity ? { ended } : {}),
    ...children.result(),
  }
}

function markOf({ event }: ArchivedEvent): unknown {
  return event.type === 'custom' ? event.data?.[MARK] : undefined
}

/** Keeps the earliest events, of any number in any order. */
class Children {
  readonly #limit: number
  #kept: ArchivedEvent[] = []
  #hasMore = false

  constructor(limit: number) {
    this.#limit = limit
  }

  add(archived: ArchivedEvent): void {
    this.#kept.push(archived)
    if (this.#kept.length >= this.#limit * 2) this.#cut()
  }

  result(): Pick<SessionResult, 'children' | 'hasMore'> {
    this.#cut()
    const children = this.#kept.map(({ event }) => ({
      timestamp: event.timestamp,
      name: event.type === 'custom' ? event.name : event.type,
    }))
    return { children, hasMore: this.#hasMore }
  }

  #cut(): void {
    this.#hasMore ||= this.#kept.length > this.#limit
    this.#kept = this.#kept.sort(byTime).slice(0, this.#limit)
  }
}

function byTime(a: ArchivedEvent, b: ArchivedEvent): number {
  return (
    a.event.timestamp - b.event.timestamp || a.event.seq - b.event.seq || a.position - b.position || a.index - b.index
  )
}

import { parentPort, workerData } from 'node:worker_threads'
import { openDatabase, transaction } from './sqlite.ts'

/** What the log's thread is asked: the messages of one append or of several, one after the other in `bytes`. */
export interface AppendRequest {
  readonly id: number
  readonly lanes: Int32Array
  readonly lengths: Int32Array
  readonly bytes: Uint8Array
}
export type AppendReply = { readonly id: number; readonly positions: Float64Array } | { readonly id: number; readonly error: string }

const { file, lanes } = workerData as { file: string; lanes: number }
const port = parentPort!
const database = openDatabase(file)
const inserts = Array.from({ length: lanes }, (_, lane) => database.prepare(`INSERT INTO lane_${lane} VALUES (?, ?)`))
const next = Array.from({ length: lanes }, (_, lane) => (database.prepare(`SELECT coalesce(max(position), -1) + 1 AS next FROM lane_${lane}`).get() as { next: number }).next)
let waiting: AppendRequest[] = []

/** Everything that arrived while the last sync ran becomes one transaction with one sync. */
function commit(): void {
  const group = waiting
  waiting = []
  const before = [...next]
  try {
    const replies = transaction(database, () => group.map(insert))
    for (const reply of replies) port.postMessage(reply, [reply.positions.buffer as ArrayBuffer])
  } catch (error) {
    next.splice(0, next.length, ...before)
    for (const { id } of group) port.postMessage({ id, error: String(error) } satisfies AppendReply)
  }
}

function insert({ id, lanes: to, lengths, bytes }: AppendRequest): { id: number; positions: Float64Array } {
  const positions = new Float64Array(to.length)
  for (let at = 0, offset = 0; at < to.length; offset += lengths[at++]!) {
    const lane = to[at]!
    const position = next[lane]!++
    inserts[lane]!.run(position, bytes.subarray(offset, offset + lengths[at]!))
    positions[at] = position
  }
  return { id, positions }
}

port.on('message', (request: AppendRequest | { end: true }) => {
  if ('end' in request) {
    if (waiting.length > 0) commit()
    database.close()
    port.close()
    return
  }
  if (waiting.push(request) === 1) setImmediate(() => waiting.length > 0 && commit())
})

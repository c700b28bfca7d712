import { parentPort, workerData } from 'node:worker_threads'
import { encodeBlock, inBlocks } from './block.ts'
import { nextPosition } from './log-schema.ts'
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
const inserts = Array.from({ length: lanes }, (_, lane) => database.prepare(`INSERT INTO lane_${lane} VALUES (?, ?, ?)`))
const next = Array.from({ length: lanes }, (_, lane) => nextPosition(database, lane))
let waiting: AppendRequest[] = []

/** Everything that arrived while the last sync ran becomes one transaction with one sync, and one block for each lane. */
function commit(): void {
  const group = waiting
  waiting = []
  const before = [...next]
  try {
    const blocks = Array.from({ length: lanes }, (): Uint8Array[] => [])
    const replies = group.map((request) => distribute(request, blocks))
    transaction(database, () => {
      blocks.forEach((values, lane) => {
        let first = before[lane]!
        for (const part of inBlocks(values)) {
          inserts[lane]!.run(first, part.length, encodeBlock(part))
          first += part.length
        }
      })
    })
    for (const reply of replies) port.postMessage(reply, [reply.positions.buffer as ArrayBuffer])
  } catch (error) {
    next.splice(0, next.length, ...before)
    for (const { id } of group) port.postMessage({ id, error: String(error) } satisfies AppendReply)
  }
}

/** Gives each message of a request its position and puts it into the block of its lane. */
function distribute({ id, lanes: to, lengths, bytes }: AppendRequest, blocks: readonly Uint8Array[][]): { id: number; positions: Float64Array } {
  const positions = new Float64Array(to.length)
  for (let at = 0, offset = 0; at < to.length; offset += lengths[at++]!) {
    const lane = to[at]!
    positions[at] = next[lane]!++
    blocks[lane]!.push(bytes.subarray(offset, offset + lengths[at]!))
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

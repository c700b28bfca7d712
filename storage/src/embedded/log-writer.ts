import { parentPort, workerData } from 'node:worker_threads'
import { encodeBlock, inBlocks } from './block.ts'
import { nextPosition } from './log-schema.ts'
import { openDatabase, transaction } from './sqlite.ts'

/** What the log's thread is asked, one request at a time: the messages of one append or of several, one after the other in `bytes`. */
export interface AppendRequest {
  readonly lanes: Int32Array
  readonly lengths: Int32Array
  readonly bytes: Uint8Array
}
export type AppendReply = { readonly positions: Float64Array } | { readonly error: string }

const { file, lanes } = workerData as { file: string; lanes: number }
const port = parentPort!
const database = openDatabase(file)
const inserts = Array.from({ length: lanes }, (_, lane) => database.prepare(`INSERT INTO lane_${lane} VALUES (?, ?, ?)`))
const next = Array.from({ length: lanes }, (_, lane) => nextPosition(database, lane))

/** One transaction with one sync for everything that came while the last one ran, and one block for each lane. */
function commit(request: AppendRequest): AppendReply {
  const before = [...next]
  try {
    const blocks = Array.from({ length: lanes }, (): Uint8Array[] => [])
    const positions = distribute(request, blocks)
    transaction(database, () => {
      blocks.forEach((values, lane) => {
        let first = before[lane]!
        for (const part of inBlocks(values)) {
          inserts[lane]!.run(first, part.length, encodeBlock(part))
          first += part.length
        }
      })
    })
    return { positions }
  } catch (error) {
    next.splice(0, next.length, ...before)
    return { error: String(error) }
  }
}

/** Gives each message its position and puts it into the block of its lane. */
function distribute({ lanes: to, lengths, bytes }: AppendRequest, blocks: readonly Uint8Array[][]): Float64Array {
  const positions = new Float64Array(to.length)
  for (let at = 0, offset = 0; at < to.length; offset += lengths[at++]!) {
    const lane = to[at]!
    positions[at] = next[lane]!++
    blocks[lane]!.push(bytes.subarray(offset, offset + lengths[at]!))
  }
  return positions
}

port.on('message', (request: AppendRequest | { end: true }) => {
  if ('end' in request) {
    database.close()
    port.close()
    return
  }
  port.postMessage(commit(request))
})

import { parentPort, workerData } from 'node:worker_threads'
import { encodeBlock, inBlocks } from '../block.ts'
import { nextPosition } from './log-schema.ts'
import { SideRecord } from '../side-record.ts'
import { openDatabase, transaction } from '../sqlite.ts'

/**
 * What the log's thread is asked, one request at a time: the messages of one append or of several, one after the other
 * in `bytes`.
 */
export interface AppendRequest {
  readonly lanes: Int32Array
  readonly lengths: Int32Array
  readonly bytes: Uint8Array
}
export type AppendReply = { readonly positions: Float64Array } | { readonly error: string }

const RECORD_SYNC_MS = 1_000

const { file, lanes, recordFile, installation } = workerData as {
  file: string
  lanes: number
  recordFile: string
  installation: string
}
const port = parentPort!
const database = openDatabase(file)
const inserts = Array.from({ length: lanes }, (_, lane) =>
  database.prepare(`INSERT INTO lane_${lane} VALUES (?, ?, ?)`),
)
const next = Array.from({ length: lanes }, (_, lane) => nextPosition(database, lane))
const record = new SideRecord(recordFile)
record.replace({ installation, ends: next })
const syncing = setInterval(
  () =>
    record.sync((error) => {
      throw error
    }),
  RECORD_SYNC_MS,
).unref()

/** One transaction with one sync for everything that came while the last one ran, and one block for each lane. */
function commit(request: AppendRequest): AppendReply {
  const before = [...next]
  let committed: Float64Array
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
    committed = positions
  } catch (error) {
    next.splice(0, next.length, ...before)
    return { error: String(error) }
  }
  // After the commit and before the answer: what was acknowledged is never beyond what the record says, nor the record
  // beyond the log.
  try {
    record.write({ installation, ends: next })
  } catch (error) {
    // The messages stand in the log, but nobody is told so: they are sent again, and counted once.
    return { error: `${recordFile}: ${String(error)}` }
  }
  return { positions: committed }
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
    clearInterval(syncing)
    record.close()
    database.close()
    port.close()
    return
  }
  port.postMessage(commit(request))
})

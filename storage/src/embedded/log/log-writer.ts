import { parentPort, workerData } from 'node:worker_threads'
import { encodeBlock, splitIntoBlocks } from '../block.ts'
import { nextPosition } from './log-schema.ts'
import { SideRecord } from '../side-record.ts'
import { openDatabase, transaction } from '../sqlite.ts'

/** A request to the log's thread, one at a time: the messages of one or several appends, concatenated in `bytes`. */
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

/** Commits a request by one transaction with one sync, and one block per lane or more if it is large. */
function commit(request: AppendRequest): AppendReply {
  const before = [...next]
  let committed: Float64Array
  try {
    const blocks = Array.from({ length: lanes }, (): Uint8Array[] => [])
    const positions = distribute(request, blocks)
    transaction(database, () => {
      blocks.forEach((values, lane) => {
        let first = before[lane]!
        for (const part of splitIntoBlocks(values)) {
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
  // Written after the commit and before the reply: acknowledged positions are never beyond the record, nor is the
  // record beyond the log.
  try {
    record.write({ installation, ends: next })
  } catch (error) {
    // The messages are in the log, but not acknowledged: they are sent again and counted once.
    return { error: `${recordFile}: ${String(error)}` }
  }
  return { positions: committed }
}

/** Assigns each message its position and adds it to the block of its lane. */
function distribute({ lanes: to, lengths, bytes }: AppendRequest, blocks: readonly Uint8Array[][]): Float64Array {
  const positions = new Float64Array(to.length)
  for (let index = 0, offset = 0; index < to.length; offset += lengths[index++]!) {
    const lane = to[index]!
    positions[index] = next[lane]!++
    blocks[lane]!.push(bytes.subarray(offset, offset + lengths[index]!))
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

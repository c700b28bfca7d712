import { parentPort, workerData } from 'node:worker_threads'
import { Chunk, ColumnCache, installZstdLock, mergeChunks } from '@hopper/engine'
import { lowerThreadPriority } from '@hopper/engine/thread-priority'
import type { MergeReply } from './merge-thread.ts'
import { packChunks, type PackedChunk } from './packed-chunk.ts'

const DECODED_BYTES_MAX = 64_000_000

// HTTP, the log and folding have precedence.
lowerThreadPriority()

installZstdLock(workerData as SharedArrayBuffer)
const port = parentPort!
port.on('message', (chunks: readonly PackedChunk[]) => {
  try {
    const cache = new ColumnCache(DECODED_BYTES_MAX)
    const merged = packChunks(
      mergeChunks(chunks.map(({ summary, cells }) => Chunk.of({ summary, columns: new Map(cells) }, cache))),
    )
    port.postMessage({ merged: merged.message } satisfies MergeReply, merged.transfer)
  } catch (error) {
    port.postMessage({ error: String(error) } satisfies MergeReply)
  }
})

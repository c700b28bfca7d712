import { parentPort, workerData } from 'node:worker_threads'
import type { ChunkKey, ChunkRange } from '../ports/archive.ts'
import { ArchiveQueries } from './archive-queries.ts'
import { openDatabase } from './sqlite.ts'

export type ArchiveRequest = { readonly id: number } & (
  | { readonly read: 'list'; readonly range: ChunkRange }
  | { readonly read: 'columns'; readonly chunk: ChunkKey; readonly names: readonly string[] }
)
export interface ArchiveReply {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

const port = parentPort!
const database = openDatabase((workerData as { file: string }).file)
const queries = new ArchiveQueries(database)

port.on('message', (request: ArchiveRequest | { end: true }) => {
  if ('end' in request) {
    database.close()
    port.close()
    return
  }
  try {
    const result = request.read === 'list' ? queries.list(request.range) : queries.columns(request.chunk, request.names)
    port.postMessage({ id: request.id, result } satisfies ArchiveReply)
  } catch (error) {
    port.postMessage({ id: request.id, error: String(error) } satisfies ArchiveReply)
  }
})

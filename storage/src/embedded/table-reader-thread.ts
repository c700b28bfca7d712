import { parentPort, workerData } from 'node:worker_threads'
import type { ReadReply, ReadRequest } from './table-reader.ts'
import { openDatabase } from './sqlite.ts'
import { TableQueries } from './table-queries.ts'

const port = parentPort!
const database = openDatabase((workerData as { file: string }).file)
const queries = new TableQueries(database)

function answer(request: ReadRequest): ReadReply {
  try {
    switch (request.read) {
      case 'counters':
        return { id: request.id, result: queries.counters(...request.args) }
      case 'uniques':
        return { id: request.id, result: queries.uniques(...request.args) }
      case 'deadLetters':
        return { id: request.id, result: queries.deadLetters() }
    }
  } catch (error) {
    return { id: request.id, error: String(error) }
  }
}

port.on('message', (request: ReadRequest | { end: true }) => {
  if ('end' in request) {
    database.close()
    port.close()
    return
  }
  port.postMessage(answer(request))
})

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The baseline: `node:http` that reads and parses the same body and answers, without storing anything. */
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { events } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { events: unknown[] }
    response
      .writeHead(202, { 'content-type': 'application/json' })
      .end(JSON.stringify({ accepted: events.length, rejected: [] }))
  })
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())

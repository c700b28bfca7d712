import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { keys, openIngest } from '../ingest-server.fixture.ts'

const unlimited = { requests: Infinity, events: Infinity, bytes: Infinity }
const body = { device_id: 'd', events: [{ type: 1, target: '//a', elapsed_time: 5, current_url: '/' }] }

it('charges refused bodies to the rate of a key too', async () => {
  for (const refused of ['['.repeat(5_000), `${'['.repeat(2_500)}${']'.repeat(2_500)}`, Buffer.alloc(5_000, 0xff)]) {
    await using ingest = await openIngest({ rates: { ...unlimited, bytes: 4_000 } })
    const answers = [await ingest.post(refused), await ingest.post(refused), await ingest.post(body)]
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 429])
  }
})

const head = (length: string): string =>
  `POST /v1/events HTTP/1.1\r\nHost: a\r\nX-Api-Key: ${keys.write}\r\nContent-Type: text/plain\r\n${length}\r\n\r\n`
const junk = '['.repeat(100_000)

it.each([
  ['a length that is too large, and no byte', head('Content-Length: 9007199254740991'), 413, 202],
  ['a length, and no more than a byte of it', `${head('Content-Length: 1000000')}[`, undefined, 202],
  ['no length, and many bytes', `${head('Transfer-Encoding: chunked')}186a0\r\n${junk}\r\n0\r\n\r\n`, 400, 429],
])('charges the bytes that have arrived: %s', async (_declared, request, status, next) => {
  await using ingest = await openIngest({ rates: { ...unlimited, bytes: 4_000 } })
  await ingest.server.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((ingest.server.server.address() as AddressInfo).port, '127.0.0.1')
  const arrived = once(ingest.server.server, 'request') as Promise<[unknown, NodeJS.EventEmitter]>
  const answered = once(socket, 'data') as Promise<[Buffer]>
  answered.catch(() => {})
  socket.write(request)
  const [, response] = await arrived
  const closed = once(response, 'close')
  if (status === undefined) socket.destroy()
  else expect(String((await answered)[0])).toContain(` ${status} `)
  await closed
  socket.destroy()
  expect((await ingest.post(body)).status).toBe(next)
})

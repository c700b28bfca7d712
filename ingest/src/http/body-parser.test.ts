import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { limits } from '@hopper/contracts'
import { describe, expect, it } from 'vitest'
import { browser, keys, openIngest } from '../ingest-server.fixture.ts'

describe('a body over a connection', () => {
  it('answers 413 to a body without a length as soon as it exceeds the limit', async () => {
    await using ingest = await listening()
    const sending = ingest.send()
    sending.on('error', () => undefined) // the connection may be closed before the rest of the body is sent
    sending.write(Buffer.alloc(limits.bodyBytesMax, ' '))
    sending.write('{}')
    const [answer] = (await once(sending, 'response')) as [{ statusCode: number; headers: { connection?: string } }]
    expect([answer.statusCode, answer.headers.connection]).toEqual([413, 'close'])
    sending.destroy()
  })

  it('logs no error when a sender aborts', async () => {
    const logged: string[] = []
    await using ingest = await listening((line) => logged.push(line))
    const sending = ingest.send().on('error', () => undefined)
    sending.write('{"device_id":')
    await once(ingest.server.server, 'request')
    sending.destroy()
    await expect
      .poll(async () => (await ingest.server.inject('/metrics')).body, { timeout: 10_000 })
      .toContain('hopper_ingest_requests_total{status="400",code="HOP_BODY_INVALID"} 1\n')
    expect(logged).toEqual([])
  })
})

async function listening(error: (line: string) => void = () => undefined) {
  const ingest = await openIngest({
    logger: { info: () => undefined, error: (_of: unknown, line?: string) => error(String(line)) },
  })
  await ingest.server.listen({ port: 0, host: '127.0.0.1' })
  const { port } = ingest.server.server.address() as AddressInfo
  const send = () =>
    request({
      port,
      method: 'POST',
      path: `/v1/events?key=${keys.write}`,
      headers: { 'content-type': 'application/json', 'user-agent': browser },
    })
  return Object.assign(ingest, { send })
}

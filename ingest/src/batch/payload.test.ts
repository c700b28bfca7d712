import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { limits, type HopperError } from '@hopper/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { browser, keys, openGateway } from '../gateway.fixture.ts'
import { collect } from './payload.ts'

const collected = (payload: Readable, contentLength?: string): Promise<Buffer> =>
  new Promise((resolve, reject) => collect(payload, contentLength, resolve, reject))

describe('a body', () => {
  it('is what was sent, in any chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1 })), async (pieces) => {
        const sent = pieces.map((piece) => Buffer.from(piece))
        expect(await collected(Readable.from(sent, { objectMode: false }))).toEqual(Buffer.concat(sent))
      }),
    )
  })

  it('in one chunk is not copied', async () => {
    const piece = Buffer.from('{}')
    const payload = new PassThrough()
    payload.end(piece)
    expect((await collected(payload)).buffer).toBe(piece.buffer)
  })

  it('may have as many bytes as the limit, and not one more, with and without a declared length', async () => {
    const half = Buffer.alloc(limits.bodyBytesMax / 2)
    expect(await collected(Readable.from([half, half], { objectMode: false }))).toHaveLength(limits.bodyBytesMax)
    const refused = { code: 'HOP_BODY_TOO_LARGE' } satisfies Partial<HopperError>
    await expect(collected(Readable.from([half, half, Buffer.alloc(1)], { objectMode: false }))).rejects.toMatchObject(
      refused,
    )
    await expect(collected(Readable.from([half]), String(limits.bodyBytesMax + 1))).rejects.toMatchObject(refused)
  })
})

describe('over a connection', () => {
  it('answers 413 to a body without a length as soon as it exceeds the limit', async () => {
    await using gateway = await listening()
    const sending = gateway.send()
    sending.on('error', () => undefined) // the connection may be closed before the rest of the body is sent
    sending.write(Buffer.alloc(limits.bodyBytesMax, ' '))
    sending.write('{}')
    const [answer] = (await once(sending, 'response')) as [{ statusCode: number; headers: { connection?: string } }]
    expect([answer.statusCode, answer.headers.connection]).toEqual([413, 'close'])
    sending.destroy()
  })

  it('logs no error when a sender aborts', async () => {
    const logged: string[] = []
    await using gateway = await listening((line) => logged.push(line))
    const sending = gateway.send().on('error', () => undefined)
    sending.write('{"device_id":')
    await once(gateway.server.server, 'request')
    sending.destroy()
    await expect
      .poll(async () => (await gateway.server.inject('/metrics')).body, { timeout: 10_000 })
      .toContain('hopper_ingest_requests_total{status="400",code="HOP_BODY_INVALID"} 1\n')
    expect(logged).toEqual([])
  })
})

async function listening(error: (line: string) => void = () => undefined) {
  const gateway = await openGateway({
    logger: { info: () => undefined, error: (_of: unknown, line?: string) => error(String(line)) },
  })
  await gateway.server.listen({ port: 0, host: '127.0.0.1' })
  const { port } = gateway.server.server.address() as AddressInfo
  const send = () =>
    request({
      port,
      method: 'POST',
      path: `/v1/events?key=${keys.write}`,
      headers: { 'content-type': 'application/json', 'user-agent': browser },
    })
  return Object.assign(gateway, { send })
}

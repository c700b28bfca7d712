import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { ClientRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Event } from '@hopper/contracts'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WebSocket, type RawData } from 'ws'
import { boundOrigin, keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'

const log: string[] = []
let ingest: IngestServer
let address: string
beforeAll(async () => {
  ingest = await openIngest({ logger: pino({ level: 'info' }, { write: (line) => void log.push(line) }) })
  await ingest.server.listen({ port: 0, host: '127.0.0.1' })
  address = `ws://127.0.0.1:${(ingest.server.server.address() as AddressInfo).port}/ws`
})
afterAll(() => ingest[Symbol.asyncDispose]())

type Answer = Readonly<Record<string, unknown>>

/** A client of one session, which collects the answers. */
class Client {
  readonly answers: Answer[] = []
  readonly socket: WebSocket
  constructor(session: string) {
    this.socket = new WebSocket(`${address}?sessionId=${session}&key=${keys.write}`)
    this.socket.on('message', (data: RawData) => this.answers.push(JSON.parse((data as Buffer).toString()) as Answer))
  }
  async open(): Promise<this> {
    await once(this.socket, 'open')
    return this
  }
  async send(message: unknown): Promise<Answer> {
    const before = this.answers.length
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message))
    await vi.waitUntil(() => this.answers.length > before, { timeout: 5_000 })
    return this.answers[before]!
  }
}

const start = (timestamp = 1_760_000_000_000): object => ({ type: 'SESSION_START', timestamp })
const event = (name: string, timestamp = 1_760_000_000_001): object => ({ type: 'EVENT', timestamp, name })
const end = (timestamp = 1_760_000_009_000): object => ({ type: 'SESSION_END', timestamp })

async function storedOf(session: string): Promise<Event[]> {
  const events = (await ingest.envelopes()).flatMap((envelope) => envelope.events)
  return events.filter(({ session_id }) => session_id === session)
}

/** Status and error code with which a connection is refused before it is one. */
async function refused(query: string, headers: Record<string, string> = {}): Promise<string> {
  const finishRequest = (request: ClientRequest): void => {
    for (const [name, value] of Object.entries(headers)) request.setHeader(name, value)
    request.end()
  }
  const socket = new WebSocket(`${address}?${query}`, { finishRequest })
  const [, response] = (await once(socket, 'unexpected-response')) as [
    unknown,
    AsyncIterable<Buffer> & { statusCode: number },
  ]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const { error } = JSON.parse(Buffer.concat(chunks).toString()) as { error: { code: string } }
  return `${response.statusCode} ${error.code}`
}

it('acknowledges each message by its number once its events are in the log', async () => {
  const session = randomUUID()
  const client = await new Client(session).open()
  expect(await client.send([start(), event('view')])).toEqual({ ack: 1 })
  expect(await client.send(event('click'))).toEqual({ ack: 2 })
  expect(await client.send([end()])).toEqual({ ack: 3 })
  const stored = await storedOf(session)
  expect(stored.map((each) => ('name' in each ? each.name : '')).sort()).toEqual([
    'click',
    'session_end',
    'session_start',
    'view',
  ])
  expect(stored[0]).toMatchObject({ type: 'custom', data: { session_message: 'SESSION_START' } })
  client.socket.close()
})

it('answers messages that were sent without waiting, in order', async () => {
  const client = await new Client(randomUUID()).open()
  for (let i = 0; i < 200; i++) client.socket.send(JSON.stringify([event(`e${i}`)]))
  await vi.waitUntil(() => client.answers.length === 200, { timeout: 20_000 })
  expect(client.answers.map(({ ack }) => ack)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
  client.socket.close()
})

it('gives a message that is sent again over another connection the same ids', async () => {
  const session = randomUUID()
  const message = [start(), event('a'), event('a'), event('b'), end()]
  for (let connection = 0; connection < 2; connection++) {
    const client = await new Client(session).open()
    expect(await client.send(message)).toEqual({ ack: 1 })
    client.socket.terminate()
  }
  const ids = (await storedOf(session)).map(({ event_id }) => event_id)
  expect([ids.length, new Set(ids).size]).toEqual([10, 5])
})

describe('what cannot be taken', () => {
  it('is answered with an error, and the socket stays', async () => {
    const session = randomUUID()
    const client = await new Client(session).open()
    for (const bad of ['not json', '7', '"text"', 'null'])
      expect(await client.send(bad)).toMatchObject({ error: { code: 'HOP_BODY_INVALID' } })
    expect(await client.send([event('good'), { type: 'OTHER' }, { type: 'EVENT', timestamp: 1 }, 5])).toMatchObject({
      ack: 5,
      accepted: 1,
      rejected: [
        { index: 1, reason: 'unknown_type' },
        { index: 2, reason: 'missing_field' },
        { index: 3, reason: 'not_an_object' },
      ],
    })
    expect(await storedOf(session)).toHaveLength(1)
    client.socket.close()
  })

  it('closes the socket when it is longer than a message may be', async () => {
    const client = await new Client(randomUUID()).open()
    client.socket.send(Buffer.alloc(10_000_000, ' '))
    const [code] = (await once(client.socket, 'close')) as [number]
    expect(code).toBe(1009)
  })

  it('is refused before the connection without a valid key, session or origin', async () => {
    const session = randomUUID()
    expect(await refused(`sessionId=${session}`)).toBe('401 HOP_KEY_MISSING')
    expect(await refused(`sessionId=${session}&key=hw_nobody_0123456789`)).toBe('401 HOP_KEY_UNKNOWN')
    expect(await refused(`sessionId=${session}&key=${keys.read}`)).toBe('403 HOP_KEY_POWER')
    expect(await refused(`sessionId=42&key=${keys.write}`)).toBe('400 HOP_PARAM_INVALID')
    const foreign = { origin: 'https://evil.example' }
    expect(await refused(`sessionId=${session}&key=${keys.bound}`, foreign)).toBe('403 HOP_ORIGIN')
    expect(boundOrigin).not.toBe(foreign.origin)
    const plain = await ingest.server.inject({ url: `/ws?sessionId=${session}&key=${keys.write}` })
    expect([plain.statusCode, plain.json<{ error: { code: string } }>().error.code]).toEqual([
      400,
      'HOP_REQUEST_INVALID',
    ])
  })

  it.each([{ 'Sec-WebSocket-Key': 'short' }, { 'Sec-WebSocket-Version': '7' }, { 'Sec-WebSocket-Protocol': 'a, b,,' }])(
    'is refused in the shape of every other error when the handshake has %j',
    async (headers) => {
      expect(await refused(`sessionId=${randomUUID()}&key=${keys.write}`, headers)).toBe('400 HOP_REQUEST_INVALID')
    },
  )
})

it('sends its clients "going away" when the server closes', async () => {
  const closing = await openIngest()
  await closing.server.listen({ port: 0, host: '127.0.0.1' })
  const { port } = closing.server.server.address() as AddressInfo
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?sessionId=${randomUUID()}&key=${keys.write}`)
  await once(socket, 'open')
  const closed = once(socket, 'close')
  await closing[Symbol.asyncDispose]()
  expect((await closed)[0]).toBe(1001)
})

it('says at most once a minute that sockets are closed for their content', async () => {
  for (let at = 0; at < 5; at++) {
    const { socket } = await new Client(randomUUID()).open()
    socket.on('error', () => undefined)
    const closed = once(socket, 'close')
    // a frame of an unknown kind
    ;(socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(
      Buffer.from([0x83, 0x80, 0, 0, 0, 0]),
    )
    await closed
  }
  expect(log.filter((line) => line.includes('closed for their content'))).toHaveLength(1)
  expect(log.join()).not.toContain('stack')
})

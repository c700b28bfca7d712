import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { pino } from 'pino'
import { sequentially } from './pipelined-requests.ts'
import { createServer as createHopperServer } from './server.ts'

const REQUESTS = 1_000
const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function serve(handle: RequestListener): Promise<Server> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => new Promise((closed) => (server.close(closed), server.closeAllConnections())))
  return server
}

function open(port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  closing.push(() => socket.destroy())
  return socket.on('error', () => undefined)
}

const get = (number: number): string => `GET /${number} HTTP/1.1\r\nhost: a\r\n\r\n`
const post = (number: number): string =>
  `POST /${number} HTTP/1.1\r\nhost: a\r\ncontent-length: 200\r\n\r\n${'x'.repeat(200)}`
const packet = (requestOf: (number: number) => string, requests = REQUESTS): string =>
  Array.from({ length: requests }, (_, number) => requestOf(number)).join('')
const portOf = (server: Server): number => (server.address() as AddressInfo).port

/** Returns the bytes that a connection has received once it has n responses. */
async function answers(socket: Socket, number: number): Promise<string[]> {
  let text = ''
  for await (const part of socket) {
    text += String(part)
    if (text.split('HTTP/1.1 ').length > number) break
  }
  return [...text.matchAll(/answer to \/(\d+)/g)].map(([, path]) => path!)
}

/** Counts the requests in flight, and answers each after a moment. */
function slowly(): {
  readonly handle: RequestListener
  readonly seen: { atOnce: number; max: number; started: number }
} {
  const seen = { atOnce: 0, max: 0, started: 0 }
  const handle: RequestListener = (request, response) => {
    seen.started++
    seen.max = Math.max(seen.max, ++seen.atOnce)
    request.resume()
    const end = (): ServerResponse => response.end(`answer to ${request.url}`)
    setImmediate(() => {
      seen.atOnce--
      end()
    })
  }
  return { handle, seen }
}

test.each([
  ['without a body', get],
  ['with a body', post],
])(
  '1,000 requests %s in one packet are answered in order, one at a time; control: concurrently without it',
  async (_, requestOf) => {
    for (const [wrap, max] of [
      [sequentially, 1],
      [(handle: RequestListener) => handle, expect.any(Number)],
    ] as const) {
      const { handle, seen } = slowly()
      const socket = open(portOf(await serve(wrap(handle))))
      socket.write(packet(requestOf))
      expect(await answers(socket, REQUESTS)).toEqual(Array.from({ length: REQUESTS }, (_, i) => String(i)))
      expect(seen).toEqual({ atOnce: 0, max, started: REQUESTS })
      if (wrap !== sequentially) expect(seen.max).toBeGreaterThan(50)
    }
  },
)

test('requests of a disconnected client do not begin', async () => {
  let started = 0
  const held: ServerResponse[] = []
  const server = await serve(sequentially((_, response) => void (started++, held.push(response))))
  const socket = open(portOf(server))
  socket.write(packet(get, 10))
  await expect.poll(() => started).toBe(1)
  socket.destroy()
  await expect.poll(() => held[0]!.closed).toBe(true)
  await pause(50)
  expect(started).toBe(1)
})

test('other connections take turns with one that has sent 1,000 requests', async () => {
  const busyMs = 2
  const server = await serve(
    sequentially((request, response) => {
      const until = performance.now() + busyMs
      while (performance.now() < until);
      response.end(`answer to ${request.url}`)
    }),
  )
  const flood = open(portOf(server))
  flood.resume().write(packet(get))
  await pause(20)
  const other = open(portOf(server))
  const began = performance.now()
  other.write(get(1))
  expect(await answers(other, 1)).toEqual(['1'])
  expect(performance.now() - began).toBeLessThan((REQUESTS * busyMs) / 2)
})

test('a connection is not read beyond the waiting limit', async () => {
  let parsed = 0
  const handle = sequentially(() => undefined)
  const server = await serve((request, response) => (parsed++, handle(request, response)))
  const socket = open(portOf(server))
  const text = packet(get, 10_000)
  // more than the buffers of two sockets hold
  for (let i = 0; i < 100; i++) socket.write(text)
  await expect.poll(() => parsed).toBeGreaterThan(0)
  await pause(300)
  expect(parsed).toBeLessThan(4_096)
  expect([socket.destroyed, socket.writableLength > 0]).toEqual([false, true])
})

test('the servers of Hopper handle pipelined requests one by one', async () => {
  const server = createHopperServer(pino({ level: 'silent' }), 0)
  let [atOnce, max] = [0, 0]
  server.get('/:number', async (request) => {
    max = Math.max(max, ++atOnce)
    await pause(1)
    atOnce--
    return `answer to ${request.url}`
  })
  await server.listen({ port: 0, host: '127.0.0.1' })
  closing.push(() => server.close())
  const socket = open((server.server.address() as AddressInfo).port)
  socket.write(packet(get, 200))
  expect(await answers(socket, 200)).toHaveLength(200)
  expect(max).toBe(1)
})

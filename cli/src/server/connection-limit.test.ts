import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, createServer as createTcpServer, Socket, type AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Registry } from 'prom-client'
import { connectionMetrics } from '../metrics/connection-metrics.ts'
import { createLogger } from '../logging/logger.ts'
import { ConnectionLimit, type ConnectionBounds } from './connection-limit.ts'
import { createServer as createHopperServer } from './server.ts'

const [NOISY, QUIET] = ['127.0.0.1', '127.0.0.2'] as const
/** A request that no limit delays takes a few ms; a busy machine needs more. */
const PROMPT_MS = 2_000
const quarter = (): number => 1 / 4

let sockets: Socket[]
let servers: Server[]
let lines: [Record<string, unknown>, string][]
beforeEach(() => {
  ;[sockets, servers, lines] = [[], [], []]
})
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

/** Starts a server whose connections are bounded. */
async function bounded(bounds: ConnectionBounds): Promise<{ port: number; limit: ConnectionLimit }> {
  const server = createServer((_request, response) => response.end('OK'))
  servers.push(server)
  const limit = new ConnectionLimit(bounds, { warn: (...line: unknown[]) => void lines.push(line as never) })
  limit.watch(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { port: (server.address() as AddressInfo).port, limit }
}

function open(count: number, port: number, localAddress: string = NOISY): Socket[] {
  const opened = Array.from({ length: count }, () =>
    connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined),
  )
  sockets.push(...opened)
  return opened
}

const whenClosed = (from: readonly Socket[], count: number): Promise<void> =>
  vi.waitFor(() => expect(from.filter(({ closed }) => closed)).toHaveLength(count), { timeout: 10_000 })

/**
 * Sends a request over a connection of its own; returns its answer and the time that it took, undefined if the
 * connection was closed without one.
 */
async function ask(port: number, localAddress: string): Promise<{ answer: string; ms: number } | undefined> {
  const begin = performance.now()
  const [socket] = open(1, port, localAddress)
  socket!.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
  const pieces: Buffer[] = []
  socket!.on('data', (piece: Buffer) => pieces.push(piece))
  await once(socket!, 'close')
  if (pieces.length === 0) return undefined
  return { answer: Buffer.concat(pieces).toString(), ms: performance.now() - begin }
}

test('connections beyond the limit of open files are refused, and the log says so once', async () => {
  const { port } = await bounded({ connectionsMax: 10_000, isByAddress: false, filesMax: 256 + 40 })
  const opened = open(60, port)
  await whenClosed(opened, 20)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject([
    { refused: 1, connections: 40, openFiles: 296 },
    expect.stringContaining('LimitNOFILE'),
  ])
  for (const socket of opened) socket.destroy()
  await vi.waitFor(async () => expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('OK'))
})

test('connections beyond the setting are refused, however many files there are', async () => {
  const { port, limit } = await bounded({ connectionsMax: 40, isByAddress: false, filesMax: 1_000_000 })
  await whenClosed(open(60, port), 20)
  expect(limit).toMatchObject({ open: 40, refused: { process: 20, address: 0 } })
  expect(lines).toEqual([
    [{ refused: 1, connections: 40, openFiles: 1_000_000 }, expect.stringContaining('--connections')],
  ])
})

test('an address at its share is refused while another is served at once, and the log names no address', async () => {
  const { port, limit } = await bounded({ connectionsMax: 40, isByAddress: true, shareOf: quarter })
  const opened = open(60, port)
  await whenClosed(opened, 50)
  expect(await ask(port, NOISY)).toBeUndefined()
  const served = await ask(port, QUIET)
  expect(served?.answer).toContain('200 OK')
  expect(served!.ms).toBeLessThan(PROMPT_MS)
  expect(limit.refused).toEqual({ process: 0, address: 51 })
  expect(lines).toEqual([[{ refused: 1, connections: 40 }, expect.stringContaining('--trusted-proxies')]])
  expect(JSON.stringify(lines)).not.toContain(NOISY)

  const figures = new Registry()
  connectionMetrics(figures, limit)
  const text = await figures.metrics()
  expect(text).toContain('hopper_connections_refused_total{bound="address"} 51')
  expect(text).toContain('hopper_connections_refused_total{bound="process"} 0')

  for (const socket of opened) socket.destroy()
  await vi.waitFor(async () => expect((await ask(port, NOISY))?.answer).toContain('200 OK'))
})

test('the control: without a share, one address takes all connections, and another is refused', async () => {
  const { port } = await bounded({ connectionsMax: 40, isByAddress: true, shareOf: () => 1 })
  await whenClosed(open(60, port), 20)
  expect(await ask(port, QUIET)).toBeUndefined()
})

test('behind a trusted proxy, where all connections share one address, only the total is bounded', async () => {
  const { port, limit } = await bounded({ connectionsMax: 40, isByAddress: false, shareOf: quarter })
  await whenClosed(open(60, port), 20)
  expect(limit.refused).toEqual({ process: 20, address: 0 })
})

test('an address of this machine may hold three quarters of the connections, any other address a quarter', async () => {
  const { port } = await bounded({ connectionsMax: 40, isByAddress: true })
  await whenClosed(open(60, port), 30)
  expect((await ask(port, QUIET))?.answer).toContain('200 OK')

  const limit = new ConnectionLimit({ connectionsMax: 40, isByAddress: true }, { warn: () => undefined })
  const server = createTcpServer()
  limit.watch(server)
  const isAccepted = (remoteAddress: string): boolean => {
    const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress })
    server.emit('connection', socket)
    return !socket.destroyed
  }
  const acceptedOf = (addressOf: (index: number) => string): number =>
    Array.from({ length: 20 }, (_, index) => isAccepted(addressOf(index))).filter(Boolean).length
  expect(acceptedOf((index) => `2001:db8:1:2::${index}`)).toBe(10)
  expect(acceptedOf((index) => (index % 2 === 0 ? '203.0.113.1' : '::ffff:203.0.113.1'))).toBe(10)
  expect(limit.open).toBe(20)
})

test.each([
  ['without a proxy', 0, 30],
  ['behind a proxy', 1, 40],
] as const)('the server of Hopper has these bounds %s', async (_, trustedProxies, openMax) => {
  const metrics = new Registry()
  const server = createHopperServer(createLogger('silent', 'test'), trustedProxies, { connectionsMax: 40, metrics })
  server.get('/', () => 'OK')
  await server.listen({ host: '127.0.0.1', port: 0 })
  try {
    const { port } = server.server.address() as AddressInfo
    await whenClosed(open(60, port), 60 - openMax)
    expect(await metrics.metrics()).toContain(`hopper_connections ${openMax}`)
    expect((await ask(port, QUIET))?.answer.includes('200 OK') ?? false).toBe(trustedProxies === 0)
  } finally {
    for (const socket of sockets) socket.destroy()
    await server.close()
  }
})

import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Installation } from '../installations/installation.ts'
import { standalone } from '../installations/standalone.ts'
import { until } from '../installations/until.ts'
import { longestDelay, residentMb } from './load-measurements.fixture.ts'

const DELAY_MS_MAX = 2_000
/** Memory that all of these bodies may cost together: ingest and API hold 80 MB of unfinished ones. */
const MEMORY_MB_MAX = 250
const NEIGHBOURS_REQUESTS = 100
const REFUSED_MS_MAX = 20_000
const write = 'hw_unfinished_0123456789abcdef'
const provision = {
  organizations: [{ id: 'o', name: 'O', apps: [{ id: 'a', name: 'A', timezone: 'UTC', write_key: write }] }],
}

let installation: Installation
const sockets: Socket[] = []
beforeAll(async () => {
  installation = await standalone({ provision, env: { HOPPER_LOG_LEVEL: 'warn', HOPPER_DEMO: 'false' } })
  await installation.start()
}, 60_000)
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await installation.dispose()
})

interface Sent {
  readonly path: string
  /** of the connection, after the head of the request */
  readonly bytes: Buffer
  readonly repeated: number
}

/** Opens a connection and sends a request that does not end; resolves when all of it is sent, or it is refused. */
function sendUnfinished({ path, bytes, repeated }: Sent, refused: string[]): Promise<void> {
  const { hostname, port } = new URL(installation.ingestUrl)
  const socket = connect(Number(port), hostname)
  sockets.push(socket)
  return new Promise((resolve) => {
    let left = repeated
    const more = (): void => {
      while (left-- > 0) if (!socket.write(bytes)) return void socket.once('drain', more)
      resolve()
    }
    socket.once('data', (answer: Buffer) => refused.push(answer.toString('latin1', 9, 12)))
    socket.on('error', () => undefined).on('close', () => resolve())
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\nx-api-key: ${write}\r\n` +
        'transfer-encoding: chunked\r\n\r\n',
    )
    more()
  })
}

const chunk = (bytes: number): Buffer => Buffer.from(`${bytes.toString(16)}\r\n${' '.repeat(bytes)}\r\n`)
const manyOf = (piece: Buffer, count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => piece))

it.each([
  ['in pieces of one byte', { path: '/v1/events', bytes: manyOf(chunk(1), 10_000), repeated: 90 }, 32],
  ['in pieces of one byte, to the API', { path: '/api/v1/login', bytes: manyOf(chunk(1), 10_000), repeated: 6 }, 100],
  ['of almost 1 MB', { path: '/v1/events', bytes: chunk(10_000), repeated: 99 }, 300],
  ['of almost 64 KB, to the API', { path: '/api/v1/login', bytes: chunk(6_000), repeated: 10 }, 500],
] as const)('bodies that do not end, %s, cost bounded memory and delay nobody', async (_, sent, connections) => {
  const { pid } = installation.services[0]!
  const before = residentMb(pid!)
  const refused: string[] = []
  await Promise.all(Array.from({ length: connections }, () => sendUnfinished(sent, refused)))
  // The control: without a bound nothing would be refused.
  await until(() => refused.length > 0, REFUSED_MS_MAX)
  expect(['413', '429']).toEqual(expect.arrayContaining([...new Set(refused)]))
  expect(residentMb(pid!) - before).toBeLessThan(MEMORY_MB_MAX)
  expect(await longestDelay(installation, write, NEIGHBOURS_REQUESTS)).toBeLessThan(DELAY_MS_MAX)
  for (const socket of sockets.splice(0)) socket.destroy()
})

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'

const SOCKETS_MAX = 8
const PROMPT_MS = 2_000
const behindOneProxy = { trustProxy: (_address: string, hop: number) => hop < 1 }
const [noisy, quiet] = ['203.0.113.1', '203.0.113.2'] as const

let ingest: IngestServer
const sockets: WebSocket[] = []
beforeEach(async () => {
  ingest = await openIngest({ socketsMax: SOCKETS_MAX }, behindOneProxy)
  await ingest.server.listen({ port: 0, host: '127.0.0.1' })
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate()
  await ingest[Symbol.asyncDispose]()
})

/** Opens a socket as a client of this address, through a proxy; returns what became of it. */
async function open(address: string, key = keys.write): Promise<string> {
  const { port } = ingest.server.server.address() as AddressInfo
  const url = `ws://127.0.0.1:${port}/ws?sessionId=${randomUUID()}&key=${key}`
  const socket = new WebSocket(url, { headers: { 'x-forwarded-for': address } })
  sockets.push(socket)
  const outcome = await Promise.race([
    once(socket, 'unexpected-response').then(async ([, response]) => refusal(response as IncomingMessage)),
    once(socket, 'open').then(() => 'open'),
  ])
  if (outcome !== 'open') return outcome
  // A socket that is refused after it was opened is closed at once.
  const answer = once(socket, 'message').then(() => 'open')
  socket.send(JSON.stringify([{ type: 'EVENT', timestamp: Date.now(), name: 'e' }]))
  return Promise.race([answer, once(socket, 'close').then(([code]) => `closed ${code}`)])
}

async function refusal(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of response) pieces.push(piece as Buffer)
  const { error } = JSON.parse(Buffer.concat(pieces).toString()) as {
    error: { code: string; details: { limit: string } }
  }
  return `${response.statusCode} ${error.code} ${error.details.limit} ${response.headers['retry-after']}`
}

const many = async (count: number, address: string, key?: string): Promise<string[]> => {
  const outcomes = []
  for (let index = 0; index < count; index++) outcomes.push(await open(address, key))
  return outcomes
}

it('refuses an address that has a quarter of the sockets, and serves another at once', async () => {
  expect(await many(3, noisy)).toEqual(['open', 'open', '429 HOP_SHARE sockets_per_address 1'])
  const begin = performance.now()
  expect(await open(quiet)).toBe('open')
  expect(performance.now() - begin).toBeLessThan(PROMPT_MS)
  for (const socket of sockets) socket.terminate()
  await vi.waitFor(async () => expect(await open(noisy)).toBe('open'))
})

it('counts an IPv6 network as one address, whatever its keys, and none that a client claims', async () => {
  const network = ['2001:db8:1:2::1', '2001:db8:1:2::2', '2001:db8:1:2:3:4:5:6']
  const outcomes = [await open(network[0]!), await open(network[1]!, keys.bound), await open(network[2]!)]
  expect(outcomes).toEqual(['open', 'open', '429 HOP_SHARE sockets_per_address 1'])
  const claims = [await open(`198.51.100.1, ${noisy}`), await open(`198.51.100.2, ${noisy}`)]
  expect([...claims, await open(`198.51.100.3, ${noisy}`)][2]).toContain('HOP_SHARE')
})

it('the control: without an address to count by, one sender takes the half that its app may have', async () => {
  const outcomes = await many(6, '127.0.0.1')
  expect(outcomes).toEqual(['open', 'open', 'open', 'open', 'closed 1013', 'closed 1013'])
  expect(await open(quiet, keys.bound)).toBe('open')
})

it('closes sockets that exceed the share of an app, from any number of addresses', async () => {
  const outcomes = []
  for (let index = 0; index < 6; index++) outcomes.push(await open(`203.0.113.${index}`))
  expect(outcomes.filter((outcome) => outcome === 'closed 1013')).toHaveLength(2)
})

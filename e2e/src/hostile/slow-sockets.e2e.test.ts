import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket, type RawData } from 'ws'
import { getJson, whenCounted, type Installation } from '../installations/installation.ts'
import { standalone } from '../installations/standalone.ts'
import { longestDelay, residentMb } from './load-measurements.fixture.ts'

const SOCKETS = 1_000
const CONNECTING = 50
const RETRY_MS = 100
/** Of each socket, the server holds the first part of a message: almost as long as a message may be. */
const HALF = `[${' '.repeat(60_000)}`
/** Three times the size of the messages. */
const MEMORY_MB_MAX = 180
const [FRAGMENTS, TOO_MANY_FRAGMENTS] = [200, 2_000]
const DELAY_MS_MAX = 2_000
const NEIGHBOURS_REQUESTS = 100
const appOf = (id: string) => ({
  id,
  name: id,
  timezone: 'UTC',
  write_key: `hw_${id}_0123456789abcdef`,
  read_key: `hr_${id}_0123456789abcdef`,
})
const [slow, neighbour] = [appOf('slow'), appOf('neighbour')]
const provision = { organizations: [{ id: 'o', name: 'O', apps: [slow, neighbour] }] }

let installation: Installation
const sockets: WebSocket[] = []
beforeAll(async () => {
  installation = await standalone({ provision, env: { HOPPER_LOG_LEVEL: 'warn', HOPPER_DEMO: 'false' } })
  await installation.start()
}, 60_000)
afterAll(async () => {
  for (const socket of sockets) socket.terminate()
  await installation.dispose()
})

/** Opens a socket of a session of its own; tries again while the key opens too many in a second. */
async function open(): Promise<WebSocket> {
  const url = `${installation.ingestUrl.replace(/^http/, 'ws')}/ws?key=${slow.write_key}&sessionId=${randomUUID()}`
  for (;;) {
    const socket = new WebSocket(url)
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('open', () => resolve(true)).once('error', () => resolve(false))
    })
    if (isOpen) return socket
    await pause(RETRY_MS)
  }
}

const acknowledged = (socket: WebSocket): Promise<unknown> =>
  new Promise((resolve, reject) => {
    socket.once('message', (data: RawData) => resolve(JSON.parse((data as Buffer).toString())))
    socket.once('close', (code) => reject(new Error(`closed with ${code}`)))
  })

const eventsOf = async ({ id, read_key }: typeof slow): Promise<number> => {
  const { rows } = await getJson<{ rows: { events: number }[] }>(
    installation,
    `/api/v1/apps/${id}/traffic?by=day&from=${today}&to=${today}`,
    read_key,
  )
  return rows.reduce((sum, { events }) => sum + events, 0)
}
const begin = Date.now()
const today = new Date(begin).toISOString().slice(0, 10)

it(
  `${SOCKETS} sockets that send slowly delay nobody, cost bounded memory, and lose nothing`,
  { timeout: 180_000 },
  async () => {
    for (let start = 0; start < SOCKETS; start += CONNECTING)
      sockets.push(...(await Promise.all(Array.from({ length: CONNECTING }, open))))
    const { pid } = installation.services[0]!
    const before = residentMb(pid!)
    await Promise.all(
      sockets.map((socket) => new Promise((sent) => socket.send(HALF, { fin: false }, () => sent(undefined)))),
    )
    expect(await longestDelay(installation, neighbour.write_key, NEIGHBOURS_REQUESTS)).toBeLessThan(DELAY_MS_MAX)
    expect(residentMb(pid!) - before).toBeLessThan(MEMORY_MB_MAX)
    expect((await fetch(`${installation.ingestUrl}/ready`)).status).toBe(200)

    const answers = await Promise.all(
      sockets.map((socket, index) => {
        const answer = acknowledged(socket)
        socket.send(`{"type":"EVENT","timestamp":${begin},"name":"n${index}"}]`, { fin: true })
        return answer
      }),
    )
    const refused = answers.filter((answer) => JSON.stringify(answer) !== '{"ack":1}')
    expect(refused.filter((answer) => !JSON.stringify(answer).includes('HOP_RATE'))).toEqual([])
    await whenCounted(installation, slow.read_key)
    expect(await eventsOf(slow)).toBe(SOCKETS - refused.length)
    expect(await eventsOf(neighbour)).toBe(NEIGHBOURS_REQUESTS)
  },
)

it('a message in very many parts closes its own socket, and no other', { timeout: 60_000 }, async () => {
  const [other, socket] = [await open(), await open()]
  sockets.push(other, socket)
  const sendParts = async (to: WebSocket, count: number): Promise<void> => {
    for (let index = 0; index < count && to.readyState === WebSocket.OPEN; index++)
      await new Promise((sent) => to.send(index === 0 ? '[' : ' ', { fin: false }, () => sent(undefined)))
  }
  const closed = new Promise((resolve) => void socket.once('close', resolve))
  await sendParts(socket, TOO_MANY_FRAGMENTS)
  await closed
  await sendParts(other, FRAGMENTS)
  const answer = acknowledged(other)
  other.send(`{"type":"EVENT","timestamp":${begin},"name":"other"}]`)
  expect(await answer).toEqual({ ack: 1 })
})

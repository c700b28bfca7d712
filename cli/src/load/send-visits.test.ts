import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { sendVisits } from './send-visits.ts'
import { Sender } from './sender.ts'
import { traffic, type Visit } from './traffic.ts'

let server: Server | undefined
let sender: Sender | undefined
afterEach(() => {
  sender?.close()
  server?.close()
})

/** A real HTTP peer with scripted answers for the sender under test. */
async function peer(
  answer: (
    body: { device_id: string; events: { event_id: string }[] },
    request: IncomingMessage,
    response: ServerResponse,
  ) => void,
): Promise<string> {
  const read = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk as string
    answer(JSON.parse(text) as never, request, response)
  }
  server = createServer((request, response) => void read(request, response))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const accept = (response: ServerResponse, accepted: number): unknown =>
  response.writeHead(202).end(JSON.stringify({ accepted, rejected: [] }))
const visits = (origin: string): Visit[] => [
  ...traffic({ seed: 'drive', untilMs: Date.UTC(2026, 5, 15), days: 10, visitors: 120, origin }),
]

it('sends events with the key and user agent of their device, and the visits of a device in sequence', async () => {
  const received: { device: string; ids: string[] }[] = []
  const underWay = new Set<string>()
  const url = await peer((body, { headers }, response) => {
    expect(headers['x-api-key']).toBe('hw_test')
    expect(headers['user-agent']).toMatch(/Mozilla/)
    expect(underWay.has(body.device_id)).toBe(false)
    underWay.add(body.device_id)
    received.push({ device: body.device_id, ids: body.events.map(({ event_id }) => event_id) })
    setImmediate(() => {
      underWay.delete(body.device_id)
      accept(response, body.events.length)
    })
  })
  const all = visits(url)
  sender = new Sender(url, 'hw_test', 8)
  const tally = await sendVisits(all, sender, 8, () => undefined)
  const sent = all.flatMap(({ device, batches }) =>
    batches.map(({ events }) => ({ device, ids: events.map(({ event_id }) => event_id!) })),
  )
  expect(tally).toEqual({
    visits: all.length,
    sent: sent.flatMap(({ ids }) => ids).length,
    accepted: tally.sent,
    rejected: 0,
  })
  const ofDevice = (batches: typeof sent): Map<string, string[]> => {
    const map = new Map<string, string[]>()
    for (const { device, ids } of batches) map.set(device, [...(map.get(device) ?? []), ...ids])
    return map
  }
  expect(ofDevice(received)).toEqual(ofDevice(sent))
})

it('retries after 429, 503 and a broken connection, after the time given by Retry-After', async () => {
  const times: number[] = []
  const url = await peer((body, request, response) => {
    times.push(performance.now())
    if (times.length === 1) response.writeHead(429, { 'retry-after': '1' }).end()
    else if (times.length === 2) response.writeHead(503, { 'retry-after': '1' }).end()
    else if (times.length === 3) request.socket.destroy()
    else accept(response, body.events.length)
  })
  sender = new Sender(url, 'hw_test', 1)
  expect(
    await sender.send({ device: 'd', session: {}, userAgent: 'Mozilla', events: [{ type: 1, event_id: 'e' }] }),
  ).toEqual({
    accepted: 1,
    rejected: [],
  })
  expect(times[1]! - times[0]!).toBeGreaterThan(990)
  expect(times).toHaveLength(4)
})

it('stops at the first answer that a retry would not change', async () => {
  const url = await peer((_body, _request, response) =>
    response.writeHead(401).end('{"error":{"code":"HOP_KEY_UNKNOWN"}}'),
  )
  sender = new Sender(url, 'hw_wrong', 4)
  await expect(sendVisits(visits(url), sender, 4, () => undefined)).rejects.toThrow(/401.*HOP_KEY_UNKNOWN/)
})

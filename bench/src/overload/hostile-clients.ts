import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Installation } from '@hopper/e2e'
import { keys, post, range } from './starvation.ts'

/**
 * Acts as a client with one key of the app `shop` until `signal`; counts how its requests ended, by status and error.
 */
export type Attack = (installation: Installation, signal: AbortSignal, ends: Map<string, number>) => Promise<void>

const CONNECTIONS_IDLE = 2_000
const CONNECTIONS_SLOW = 300
const AT_ONCE = 40
const read = keys.shop.read
const appPath = '/api/v1/apps/shop'

/** Patterns without a small automaton: an `a` at least 40 letters before the end. As many as a query may have. */
const blowing = Array.from({ length: 50 }, (_, i) => ({ type: 'regex', key: 'text', value: `[ab]*a[ab]{${40 + i}}c` }))
const listed = Array.from({ length: 20 }, (_, filter) => ({
  type: 'in',
  key: 'text',
  values: Array.from({ length: 1_000 }, (_, i) => `${filter}-${i}-${'x'.repeat(30)}`),
}))
const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`

let number = 0
/** Builds a query that has not been sent before. */
const fresh = (filters: readonly object[]): string =>
  JSON.stringify({ start: range().from, end: range().to, data: [{ name: `all ${number++}`, filters }] })
const ranged = (): string => `from=${range().from}&to=${range().to}`

export const attacks: Readonly<Record<string, Attack>> = {
  'idle connections': (installation, signal) => sockets(installation, signal, CONNECTIONS_IDLE, () => undefined),
  'bodies of api, a byte a second': (installation, signal) =>
    sockets(installation, signal, CONNECTIONS_SLOW, (socket) =>
      trickle(socket, signal, head(installation.apiUrl, `${appPath}/query`, read, 100_000)),
    ),
  'bodies of ingest, a byte a second': (installation, signal) =>
    sockets(installation, signal, CONNECTIONS_SLOW, (socket) =>
      trickle(socket, signal, head(installation.ingestUrl, '/v1/events', keys.shop.write, 100_000)),
    ),
  'headers, a byte a second': (installation, signal) =>
    sockets(installation, signal, CONNECTIONS_SLOW, (socket) =>
      trickle(socket, signal, 'GET /healthcheck HTTP/1.1\r\n'),
    ),
  'headers of 15 KB': repeat((installation, signal) =>
    fetch(`${installation.apiUrl}${appPath}/traffic?by=day`, {
      signal,
      headers: {
        'x-api-key': read,
        ...Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`x-${i}`, 'y'.repeat(90)])),
      },
    }),
  ),
  'queries without a pause': repeat((installation, signal) =>
    query(installation, signal, fresh([{ type: 'eq', key: 'text', value: 'b' }])),
  ),
  'regular expressions without a small automaton': repeat((installation, signal) =>
    query(installation, signal, fresh([{ type: 'or', filters: blowing }])),
  ),
  'lists of 20,000 values': repeat((installation, signal) => query(installation, signal, fresh(listed))),
  'arrays 400,000 deep, to api': repeat((installation, signal) => query(installation, signal, deep)),
  'arrays 400,000 deep, to ingest': repeat((installation, signal) =>
    fetch(`${installation.ingestUrl}/v1/events`, {
      method: 'POST',
      signal,
      headers: json(keys.shop.write),
      body: deep,
    }),
  ),
  'values of a key': repeat((installation, signal) =>
    get(installation, signal, `keys/text/values?limit=1000&${ranged()}&prefix=${number++}`),
  ),
  keys: repeat((installation, signal) => get(installation, signal, `keys?prefix=&${ranged()}`)),
  journeys: repeat((installation, signal) => get(installation, signal, `journeys?${ranged()}&depth=20`)),
  'events, a thousand at a time': repeat((installation, signal) => get(installation, signal, `events?limit=1000`)),
  'people of a funnel': repeat((installation, signal) =>
    fetch(`${installation.apiUrl}${appPath}/funnels/query`, {
      method: 'POST',
      signal,
      headers: json(read),
      body: JSON.stringify({
        ...range(),
        steps: ['see', 'buy'].map((value) => ({ name: value, filters: [{ type: 'eq', key: 'name', value }] })),
        window_ms: 1_000_000 + number++,
        people: { step: 1, outcome: 'reached', limit: 2_000 },
      }),
    }),
  ),
  retention: repeat((installation, signal) =>
    post(
      `${installation.apiUrl}${appPath}/retention/query`,
      read,
      {
        ...range(),
        first: [{ type: 'eq', key: 'name', value: 'see' }],
        again: [{ type: 'ne', key: 'text', value: `${number++}` }],
        by: 'day',
      },
      signal,
    ),
  ),
  'panels without a pause': repeat((installation, signal) => get(installation, signal, 'traffic?by=day')),
  'live streams, opened and left': repeat((installation, signal) => openAndLeave(installation, signal, 'live')),
  'exports, opened and left': repeat((installation, signal) =>
    openAndLeave(installation, signal, `export?format=ndjson&${ranged()}`),
  ),
  'keys that do not exist': repeat((installation, signal) =>
    fetch(`${installation.apiUrl}${appPath}/traffic`, {
      signal,
      headers: { 'x-api-key': `hr_${number++}_0123456789abcdef` },
    }),
  ),
  'write keys that do not exist': repeat((installation, signal) =>
    fetch(`${installation.ingestUrl}/v1/events`, {
      method: 'POST',
      signal,
      headers: json(`hw_${number++}_0123456789abcdef`),
      body: '{"events":[]}',
    }),
  ),
}

function json(key: string): Record<string, string> {
  return { 'content-type': 'application/json', 'x-api-key': key }
}

function query(installation: Installation, signal: AbortSignal, body: string): Promise<Response> {
  return fetch(`${installation.apiUrl}${appPath}/query`, { method: 'POST', signal, headers: json(read), body })
}

function get(installation: Installation, signal: AbortSignal, path: string): Promise<Response> {
  return fetch(`${installation.apiUrl}${appPath}/${path}`, { signal, headers: { 'x-api-key': read } })
}

async function openAndLeave(installation: Installation, signal: AbortSignal, path: string): Promise<Response> {
  const leaving = new AbortController()
  const answer = await get(installation, AbortSignal.any([signal, leaving.signal]), path)
  if (!answer.ok) return answer
  leaving.abort()
  return new Response(null, { status: answer.status })
}

/** Sends requests on 40 connections, each as soon as the previous one is answered, whatever the answer. */
function repeat(request: (installation: Installation, signal: AbortSignal) => Promise<Response>): Attack {
  return async (installation, signal, ends) => {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (!signal.aborted) {
          const end = await request(installation, signal).then(endOf, (error: Error) => error.name)
          if (!signal.aborted) ends.set(end, (ends.get(end) ?? 0) + 1)
        }
      }),
    )
  }
}

async function endOf(answer: Response): Promise<string> {
  const text = await answer.text()
  if (answer.ok) return String(answer.status)
  return `${answer.status} ${/"code":"(\w+)"/.exec(text)?.[1] ?? ''}`
}

function head(url: string, path: string, key: string, length: number): string {
  return (
    `POST ${path} HTTP/1.1\r\nhost: ${new URL(url).host}\r\n` +
    `x-api-key: ${key}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n{`
  )
}

/** Opens connections and holds them; those that the server closes are reopened. */
async function sockets(
  installation: Installation,
  signal: AbortSignal,
  connections: number,
  begin: (socket: Socket) => void,
): Promise<void> {
  const { hostname, port } = new URL(installation.apiUrl)
  const all = new Set<Socket>()
  const open = (): void => {
    const socket = connect(Number(port), hostname, () => begin(socket)).resume()
    all.add(socket)
    socket
      .on('error', () => undefined)
      .once('close', () => {
        all.delete(socket)
        if (!signal.aborted) setTimeout(open, 100)
      })
  }
  for (let i = 0; i < connections; i++) {
    open()
    if (i % 100 === 99) await pause(20)
  }
  await new Promise((left) => signal.addEventListener('abort', left))
  for (const socket of all) socket.destroy()
}

function trickle(socket: Socket, signal: AbortSignal, first: string): void {
  socket.write(first)
  const timer = setInterval(() => (socket.writable ? socket.write('x') : clearInterval(timer)), 1_000)
  signal.addEventListener('abort', () => clearInterval(timer))
}

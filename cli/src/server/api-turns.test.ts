import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { apiInTurns } from './api-turns.ts'

interface Sent {
  readonly url: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly isOpen?: boolean
}

/** Sends requests, each on its own connection, and collects their addresses in the order in which they begin. */
function sender(): { readonly started: string[]; send(...sent: readonly Sent[]): void } {
  const started: string[] = []
  const handle = apiInTurns(({ url }) => void started.push(url!))
  const requestOf = ({ url, method = 'GET', headers = {}, isOpen = true }: Sent): IncomingMessage =>
    ({ url, method, headers, socket: { writable: isOpen, remoteAddress: '127.0.0.1' } }) as unknown as IncomingMessage
  return { started, send: (...sent) => sent.forEach((each) => handle(requestOf(each), {} as ServerResponse)) }
}

const flood = Array.from({ length: 100 }, (_, i): Sent => ({ url: `/api/${i}`, headers: { 'x-api-key': 'greedy' } }))

test('ingest and health checks begin immediately, whatever the load of the API', () => {
  const { started, send } = sender()
  send(
    ...flood,
    { url: '/events?start=7' },
    { url: '/events', method: 'PUT' },
    { url: '/v1/events', method: 'POST' },
    { url: '/healthcheck' },
    { url: '/' },
  )
  expect(started).toEqual(['/events', '/v1/events', '/healthcheck', '/'])
})

test('one API call begins per turn of the event loop, and callers alternate', async () => {
  const { started, send } = sender()
  send(...flood)
  await turn()
  expect(started).toEqual(['/api/0'])
  const others = ['authorization', 'cookie'].map((name): Sent => ({ url: `/query/${name}`, headers: { [name]: 'a' } }))
  send(
    ...others,
    { url: '/api/v1/events?limit=1&key=k' },
    { url: '/api/v1/apps?limit=1&key=k' },
    { url: '/api/v1/login' },
  )
  for (let i = 0; i < 7; i++) await turn()
  expect(started.slice(1)).toEqual([
    '/api/1',
    '/query/authorization',
    '/query/cookie',
    '/api/v1/events?limit=1&key=k',
    '/api/v1/login',
    '/api/2',
    '/api/v1/apps?limit=1&key=k',
  ])
  for (let i = 0; i < flood.length; i++) await turn()
  expect(started).toHaveLength(flood.length + 5)
})

test('calls of disconnected clients do not begin', async () => {
  const { started, send } = sender()
  send({ url: '/api/1', isOpen: false }, { url: '/api/2' })
  for (let i = 0; i < 3; i++) await turn()
  expect(started).toEqual(['/api/2'])
})

import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { boundedFetch } from './provider-requests.ts'

let server: Server
let origin: string
let paths: string[]
let answer: (response: ServerResponse) => void

beforeEach(async () => {
  paths = []
  server = createServer((request, response) => {
    paths.push(request.url!)
    answer(response)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const ask = (path = '/', allowed = origin, signal?: AbortSignal): Promise<Response> =>
  boundedFetch(new Set([allowed]))(origin + path, {
    body: undefined,
    headers: {},
    method: 'GET',
    redirect: 'manual',
    ...(signal ? { signal } : {}),
  } as never)

it('passes an answer on', async () => {
  answer = (response) => response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"x"}')
  const response = await ask()
  expect([response.status, response.headers.get('content-type'), await response.json()]).toEqual([
    404,
    'application/json',
    { error: 'x' },
  ])
  answer = (response) => response.writeHead(204).end()
  expect((await ask()).status).toBe(204)
})

it('calls no other origin, and follows no redirect', async () => {
  answer = (response) => response.writeHead(307, { location: `${origin}/elsewhere` }).end()
  expect((await ask('/first')).status).toBe(307)
  await expect(ask('/second', 'https://login.example')).rejects.toMatchObject({ name: 'UnusableProvider' })
  expect(paths).toEqual(['/first'])
})

it('reads no answer of endless length, compressed or not', async () => {
  answer = (response) => {
    response.writeHead(200)
    const more = (): void => void (response.write('x'.repeat(65_536)) && setImmediate(more))
    response.on('drain', more)
    more()
  }
  await expect(ask()).rejects.toThrow('an answer of more than 262144 bytes')
  const body = gzipSync('x'.repeat(50_000_000))
  expect(body.length).toBeLessThan(262_144)
  answer = (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(body)
  await expect(ask()).rejects.toThrow('an answer of more than 262144 bytes')
})

it('does not wait for an answer, nor for the rest of one', async () => {
  for (const silent of [() => undefined, (response: ServerResponse) => void response.writeHead(200).write('{')]) {
    answer = silent
    await expect(ask('/', origin, AbortSignal.timeout(200))).rejects.toMatchObject({
      name: 'ProviderUnreachable',
      message: 'no answer in time',
    })
  }
})

it('does not reveal the content of the request', async () => {
  const answer = boundedFetch(new Set([origin]))(origin, {
    body: undefined,
    headers: { authorization: 'Bearer a-token\u0000' },
    method: 'GET',
    redirect: 'manual',
  } as never)
  await expect(answer).rejects.toMatchObject({ name: 'ProviderUnreachable', message: 'TypeError' })
})

it('distinguishes a failure of the provider from its refusal', async () => {
  answer = (response) => response.writeHead(502).end('Bad Gateway')
  await expect(ask()).rejects.toMatchObject({ name: 'ProviderUnreachable', message: 'status 502' })
  answer = (response) => response.destroy()
  await expect(ask()).rejects.toMatchObject({ name: 'ProviderUnreachable' })
})

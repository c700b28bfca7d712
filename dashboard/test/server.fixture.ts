import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import type { Funnel, ListedFunnel } from '@hopper/contracts'
import { answerTo, answerToQuery, me, newFixture, type Fixture } from './answers.fixture.ts'

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}
/** As strict as the API's own policy. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; " +
  "img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'"

export interface FixtureServer {
  readonly origin: string
  fixture: Fixture
  close(): Promise<void>
}

/** Serves a built dashboard and answers its calls with fixed numbers. */
export async function serveFixture(dir: string): Promise<FixtureServer> {
  const state = { fixture: newFixture() }
  const server = createServer((request, response) => {
    void handle(request, response, dir, state.fixture).catch((error: Error) =>
      response.writeHead(500).end(error.message),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(state, {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  dir: string,
  fixture: Fixture,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url!, 'http://127.0.0.1')
  if (fixture.isDown && pathname.startsWith('/api/')) return void request.socket.destroy()
  if (!pathname.startsWith('/api/')) return sendFile(response, dir, pathname)
  if (pathname === '/api/v1/login') return login(response, await bodyOf(request), fixture)
  if (!fixture.loggedIn) return fail(response, 401, 'HOP_LOGIN_REQUIRED', 'Log in first.')
  if (pathname.endsWith('/query')) {
    const answer = answerToQuery(pathname, (await bodyOf(request)) as { from: string; to: string })
    return answer ? send(response, 200, answer) : fail(response, 404, 'HOP_NOT_FOUND', 'No such question.')
  }
  if (request.method !== 'GET') return change(request, response, pathname, fixture)
  if (request.headers.accept === 'text/csv')
    return void response.writeHead(200, { 'content-type': 'text/csv' }).end('url,views\r\na,1\r\n')
  const answer = answerTo(pathname, searchParams, fixture)
  if (answer === undefined) return fail(response, 404, 'HOP_NOT_FOUND', `There is nothing at ${pathname}.`)
  send(response, 200, answer)
}

async function sendFile(response: ServerResponse, dir: string, pathname: string): Promise<void> {
  const name = extname(pathname) === '' ? '/index.html' : pathname
  const body = await readFile(join(dir, name))
  response
    .writeHead(200, {
      'content-type': types[extname(name)] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
    })
    .end(body)
}

function login(response: ServerResponse, body: unknown, fixture: Fixture): void {
  const { member, password } = body as { member: string; password: string }
  if (member !== 'ann' || password !== 'right horse')
    return fail(response, 401, 'HOP_LOGIN_WRONG', 'Name or password is wrong.')
  fixture.loggedIn = true
  send(response, 200, me)
}

async function change(
  request: IncomingMessage,
  response: ServerResponse,
  pathname: string,
  fixture: Fixture,
): Promise<void> {
  if (request.headers['x-hopper-csrf'] !== me.csrf) return fail(response, 403, 'HOP_CSRF', 'The CSRF value is missing.')
  if (pathname === '/api/v1/logout') {
    fixture.loggedIn = false
    return void response.writeHead(204).end()
  }
  if (pathname.endsWith('/funnels') && request.method === 'POST') {
    const funnel = asListed((await bodyOf(request)) as Funnel)
    if (fixture.funnels.some(({ id }) => id === funnel.id))
      return fail(response, 409, 'HOP_EXISTS', `There is a funnel "${funnel.id}" already.`)
    fixture.funnels = [...fixture.funnels, funnel]
    return send(response, 201, funnel)
  }
  if (pathname === '/api/v1/dead-letters/replay') {
    fixture.letters = []
    return send(response, 200, { replayed: 1, left: [] })
  }
  if (pathname === '/api/v1/audits') {
    const begun = { ...fixture.audits[0]!, id: '2', state: 'running' as const, lane: 3, differing: 0 }
    fixture.audits = [begun, ...fixture.audits]
    return send(response, 202, begun)
  }
  if (pathname === '/api/v1/apps/shop' && request.method === 'PATCH') {
    fixture.settings = { ...fixture.settings, ...((await bodyOf(request)) as object) }
    return send(response, 200, fixture.settings)
  }
  if (pathname.endsWith('/keys') && request.method === 'POST')
    return send(response, 201, {
      id: 'new',
      power: 'write',
      hint: '1234',
      created_at: 0,
      key: 'hw_shown_only_now_1234',
    })
  fail(response, 404, 'HOP_NOT_FOUND', 'No such call.')
}

/** Mimics the API: assigns an id to a stage without one, and marks the past as not counted yet. */
function asListed({ id, name, stages }: Funnel): ListedFunnel {
  const numbered = stages.map((stage, index) => ({ ...stage, id: stage.id ?? index + 1 }))
  return { id, name, stages: numbered, past: { state: 'running', share: 0.254 } }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return JSON.parse(Buffer.concat(parts).toString('utf8'))
}

function send(response: ServerResponse, status: number, answer: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  send(response, status, { error: { code, message } })
}

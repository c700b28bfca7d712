import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { forEachInstallation } from '../installations/for-each-installation.ts'
import { whenCounted, whenFunnelsKnown, type Installation } from '../installations/installation.ts'
import { until } from '../installations/until.ts'
import { EventStream } from '../traffic/event-stream.ts'
import {
  at,
  events,
  listedApp,
  n,
  place,
  provision,
  range,
  read,
  sessionContext,
  taken,
  text,
  type Call,
  write,
} from './documented-app.fixture.ts'
import { apiCalls, puts } from './api-calls.fixture.ts'
import { ingestCalls } from './ingest-calls.fixture.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 180_000 })

forEachInstallation((open) => {
  let installation: Installation
  const socket: unknown[] = []
  const sessionId = crypto.randomUUID()
  beforeAll(async () => {
    installation = await open({
      provision,
      env: { HOPPER_LOG_LEVEL: 'error', HOPPER_DEMO: 'false', HOPPER_DEMO_KEY: '' },
    })
    await installation.start()
  })
  afterAll(() => installation?.dispose())

  async function make(
    { call, body, key, headers, status = 200, answer }: Call,
    base: string,
    defaultKey: string,
  ): Promise<void> {
    const [method, path] = call.split(' ') as [string, string]
    const sent = typeof body === 'string' ? body : JSON.stringify(body)
    const answered = await fetch(`${base}${path}`, {
      method,
      headers: {
        ...(key === '' ? {} : { 'x-api-key': key ?? defaultKey }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: sent }),
    })
    expect([answered.status, await answered.json()]).toEqual([status, answer])
  }

  describe('calls of ingest', () => {
    it.each(ingestCalls.map((each, number) => ({ number, ...each })))('$call (call $number)', (call) =>
      make(call, installation.ingestUrl, write),
    )

    it('GET /healthcheck, /ready, /metrics and /hopper.js', async () => {
      const health = await fetch(`${installation.ingestUrl}/healthcheck`)
      expect([health.status, await health.text()]).toEqual([200, 'OK'])
      const ready = await fetch(`${installation.ingestUrl}/ready`)
      expect([ready.status, await ready.json()]).toEqual([200, { ready: true, reasons: [] }])
      const metrics = await fetch(`${installation.ingestUrl}/metrics`)
      expect([metrics.status, await metrics.text()]).toEqual([
        200,
        expect.stringContaining('hopper_ingest_requests_total'),
      ])
      const tracker = await fetch(`${installation.ingestUrl}/hopper.js`)
      expect([tracker.status, tracker.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8'])
      expect(tracker.headers.get('etag')).toMatch(/^(W\/)?"/)
    })

    it('GET /ws?sessionId=UUID acknowledges each message, and a bad one leaves the socket open', async () => {
      const url = `${installation.ingestUrl.replace(/^http/, 'ws')}/ws?sessionId=${sessionId}&key=${write}`
      const client = new WebSocket(url)
      client.addEventListener('message', ({ data }) => socket.push(JSON.parse(String(data))))
      await new Promise((resolve) => client.addEventListener('open', resolve))
      for (const message of [
        [{ type: 'SESSION_START', timestamp: at }],
        [{ type: 'EVENT', timestamp: at + 2_000, name: 'second' }],
        'no array',
        [
          { type: 'EVENT', timestamp: at + 1_000, name: 'first' },
          { type: 'SESSION_END', timestamp: at + 3_000 },
        ],
      ])
        client.send(JSON.stringify(message))
      await until(() => socket.length === 4, 20_000)
      client.close()
      expect(socket.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))).toEqual([
        { ack: 1 },
        { ack: 2 },
        { ack: 4 },
        { error: { code: text, message: text }, message: 3 },
      ])
    })
  })

  describe('calls of the API', () => {
    beforeAll(async () => {
      await whenCounted(installation, read)
      await whenFunnelsKnown(installation, 'shop', read)
    })

    it.each(apiCalls)('$call', (call) => {
      const [method, path] = call.call.split(' ') as [string, string]
      const whole = path.startsWith('/') ? path : `/api/v1/apps/shop/${path}`
      return make({ ...call, call: `${method} ${whole}` }, installation.apiUrl, read)
    })

    it('GET /events has PUT events byte for byte, in pages', async () => {
      const headers = { 'x-api-key': read }
      const whole = await fetch(`${installation.apiUrl}/events?start=0&limit=10`, { headers })
      const sorted = (json: string): string[] =>
        json
          .slice(1, -1)
          .split(/,(?=\{"message_id")/)
          .sort()
      expect([whole.status, sorted(await whole.text())]).toEqual([200, sorted(puts)])
      const page = await fetch(`${installation.apiUrl}/events?start=0&limit=2`, { headers })
      const next = /<([^>]*)>; rel="next"/.exec(page.headers.get('link') ?? '')![1]!
      const rest = await fetch(`${installation.apiUrl}${next}`, { headers })
      const paged = [...sorted(await page.text()), ...sorted(await rest.text())]
      expect(paged.sort()).toEqual(sorted(puts))
    })

    it('GET /session/:uuid of a WebSocket session, ordered by time', async () => {
      const answer = await fetch(`${installation.apiUrl}/session/${sessionId}`, { headers: { 'x-api-key': read } })
      expect([answer.status, await answer.json()]).toEqual([
        200,
        {
          type: 'SESSION',
          start: at,
          end: at + 3_000,
          children: [
            { type: 'EVENT', timestamp: at + 1_000, name: 'first' },
            { type: 'EVENT', timestamp: at + 2_000, name: 'second' },
          ],
        },
      ])
    })

    it.each(['/eventstream', '/database_events', '/api/v1/apps/shop/live'])(
      'GET %s sends what is counted',
      async (path) => {
        const stream = await EventStream.open(`${installation.apiUrl}${path}`, read)
        const id = `streamed-${path}`
        const body = { message_id: id, timestamp: at, event_type: 'order', payload: 1 }
        await make({ call: 'PUT /event', body, answer: taken }, installation.ingestUrl, write)
        await stream.read(1)
        stream.leave()
        const { data } = stream.events[0]!
        if (path === '/eventstream') expect(JSON.parse(data)).toEqual(body)
        else
          expect(JSON.parse(data)).toEqual({
            event_id: id,
            timestamp: at,
            seq: 0,
            type: 'custom',
            name: 'order',
            payload: '1',
            device_id: text,
            context: expect.objectContaining({ device: 'server' }) as unknown,
            fate: 'accepted',
            ...place,
          })
      },
    )

    it('GET export streams all events of the range', async () => {
      const answer = await fetch(`${installation.apiUrl}/api/v1/apps/shop/export?format=ndjson&${range}`, {
        headers: { 'x-api-key': read },
      })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
      const lines = (await answer.text()).trimEnd().split('\n')
      const found = lines.map((line) => JSON.parse(line) as { event_id: string })
      expect(found.find(({ event_id }) => event_id === 'e1')).toEqual({
        ...events[0],
        device_id: 'd1',
        context: sessionContext,
        ...place,
      })
    })

    it('POST /mcp answers the handshake, the list of tools, and a call of each that needs no argument', async () => {
      const ask = async (id: number, method: string, params: object): Promise<unknown> => {
        const answer = await fetch(`${installation.apiUrl}/mcp`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            authorization: `Bearer ${read}`,
          },
          body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
        })
        expect(answer.status).toBe(200)
        return answer.json()
      }
      const client = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
      expect(await ask(1, 'initialize', client)).toEqual({
        jsonrpc: '2.0',
        id: 1,
        result: {
          protocolVersion: '2025-06-18',
          capabilities: { tools: {} },
          serverInfo: { name: 'hopper', title: 'Hopper', version: text },
          instructions: text,
        },
      })
      const { result } = (await ask(2, 'tools/list', {})) as { result: { tools: { name: string }[] } }
      const names = [
        'list_apps',
        'list_funnels',
        'list_keys',
        'list_values',
        'funnel',
        'query',
        'journeys',
        'retention',
      ]
      expect(result.tools.map(({ name }) => name)).toEqual(expect.arrayContaining(names))
      const called = (await ask(3, 'tools/call', { name: 'list_apps', arguments: {} })) as {
        result: { content: [{ type: string; text: string }] }
      }
      const [content] = called.result.content
      expect(content.type).toBe('text')
      expect(JSON.parse(content.text)).toEqual({
        apps: [listedApp],
      })
    })

    it('GET /api/v1/status, the schema of queries, OpenAPI and its pages', async () => {
      const headers = { 'x-api-key': read }
      const status = await fetch(`${installation.apiUrl}/api/v1/status`, { headers })
      expect([status.status, await status.json()]).toEqual([
        200,
        expect.objectContaining({
          complete_to: n,
          events_per_second: n,
          lag: { messages: 0, events: 0, seconds: n, remaining_seconds: n },
          dead_letters: 0,
        }),
      ])
      const schema = await fetch(`${installation.apiUrl}/schemas/query.json`)
      expect(await schema.json()).toMatchObject({ title: 'Query', required: ['start', 'end', 'data'] })
      expect(await (await fetch(`${installation.apiUrl}/openapi.json`)).json()).toMatchObject({ openapi: '3.1.0' })
      expect((await fetch(`${installation.apiUrl}/docs`)).status).toBe(200)
    })
  })
})

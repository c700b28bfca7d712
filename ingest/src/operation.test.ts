import { fastify } from 'fastify'
import { Registry as Metrics } from 'prom-client'
import { expect, it } from 'vitest'
import { browser, keys, openIngest } from './ingest-server.fixture.ts'
import { ingestPlugin } from './index.ts'
import { steps } from './pipeline.ts'

const click = { type: 1, target: '//a', elapsed_time: 5, current_url: '/' }

it('reports that it is alive, and whether it can work or why not', async () => {
  let healthy = true
  await using ingest = await openIngest({
    health: async () => [
      { name: 'log', healthy },
      { name: 'tables', healthy: true },
    ],
  })
  const health = await ingest.server.inject('/healthcheck')
  expect([health.statusCode, health.body, health.headers['content-type']]).toEqual([
    200,
    'OK',
    'text/plain; charset=utf-8',
  ])
  expect((await ingest.server.inject('/ready')).json()).toEqual({ ready: true, reasons: [] })
  healthy = false
  const ready = await ingest.server.inject('/ready')
  expect(ready.statusCode).toBe(503)
  expect(ready.json()).toMatchObject({
    ready: false,
    reasons: ['log: does not answer'],
    error: { code: 'HOP_STORE_UNAVAILABLE' },
  })
})

it('counts events by fate and reason, requests by code, and the time of each step by its name', async () => {
  await using ingest = await openIngest()
  await ingest.post({ device_id: 'd', events: [click, click, { ...click, type: 9 }] })
  await ingest.post({ device_id: 'd', events: [click] }, { 'user-agent': 'Googlebot/2.1' })
  await ingest.post('{')
  const { body } = await ingest.server.inject('/metrics')
  expect(body).toContain('hopper_ingest_events_total{fate="accepted",reason="new"} 2\n')
  expect(body).toContain('hopper_ingest_events_total{fate="bot",reason="user_agent"} 1\n')
  expect(body).toContain('hopper_ingest_events_total{fate="rejected",reason="unknown_type"} 1\n')
  expect(body).toContain('hopper_ingest_requests_total{status="202",code=""} 2\n')
  expect(body).toContain('hopper_ingest_requests_total{status="400",code="HOP_BODY_INVALID"} 1\n')
  expect(body).toContain('hopper_ingest_append_seconds_count 2\n')
  expect(body).toContain('hopper_ingest_step_events_total{step="readType"} 4\n')
  expect(body).toContain('hopper_ingest_step_dropped_total{step="readType"} 1\n')
  for (const { name } of steps)
    expect(body).toMatch(new RegExp(`hopper_ingest_step_seconds_total\\{step="${name}"\\} \\d`))
})

it('never writes a key or an address to the log of the server', async () => {
  const lines: string[] = []
  await using ingest = await openIngest(
    {},
    { logger: { level: 'trace', stream: { write: (line: string) => void lines.push(line) } } },
  )
  await ingest.post({ device_id: 'd', events: [click] }, { authorization: `Bearer ${keys.write}` })
  await ingest.post('{')
  await ingest.server.inject(`/v1/config?key=${keys.read}`)
  await ingest.closeStorage()
  await ingest.post({ device_id: 'd', events: [click] })
  const log = lines.join('')
  expect(log).toContain('/v1/events')
  for (const secret of [keys.write, keys.read, '127.0.0.1', browser]) expect(log).not.toContain(secret)
})

it('does not affect the rest of a server', async () => {
  await using ingest = await openIngest()
  const { log, registry, secrets } = ingest.storage
  const server = fastify()
  await server.register(ingestPlugin, {
    log,
    registry,
    secrets,
    health: () => ingest.storage.health(),
    metrics: new Metrics(),
  })
  server.post('/other', async (request) => ({ body: request.body }))
  const json = await server.inject({ method: 'POST', url: '/other', payload: { a: 1 } })
  expect(json.json()).toEqual({ body: { a: 1 } })
  const text = await server.inject({
    method: 'POST',
    url: '/other',
    payload: '{"a":1}',
    headers: { 'content-type': 'text/plain' },
  })
  expect(text.json()).toEqual({ body: '{"a":1}' })
  const unknown = await server.inject('/nothing')
  expect([unknown.statusCode, unknown.json<{ error: string }>().error]).toEqual([404, 'Not Found'])
  expect(unknown.headers).not.toHaveProperty('access-control-allow-origin')
  await server.close()
})

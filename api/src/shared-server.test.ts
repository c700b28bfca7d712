import { fastify } from 'fastify'
import { expect, test } from 'vitest'
import { RouteTable } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { createApi, createLoginLink, firstStart } from './index.ts'

test('a first start shares one port with another plugin, and the link logs the owner in', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-shared-'))
  const storage = await openEmbedded({ dir, lanes: 2 })
  const first = (await firstStart(storage.registry, 'Asia/Kathmandu'))!
  const server = fastify()
  RouteTable.of(server)
  await server.register(async (scope) => {
    scope.post('/v1/events', async () => ({ accepted: 0 }))
  })
  const app = await createApi(
    {
      ...storage,
      health: () => storage.health(),
      mode: 'standalone',
      publicUrl: 'https://hopper.example',
      metrics: new Registry(),
      logger: pino({ level: 'silent' }),
    },
    server,
  )
  await app.listen(0, '127.0.0.1')
  const base = (await app.getUrl()).replace('[::1]', '127.0.0.1')
  expect(await (await fetch(`${base}/v1/events`, { method: 'POST' })).json()).toEqual({ accepted: 0 })
  expect((await fetch(`${base}/v1/events`)).status).toBe(405)
  const link = new URL(
    await createLoginLink({
      registry: storage.registry,
      organization: first.organization,
      member: first.owner.id,
      publicUrl: 'https://hopper.example',
    }),
  )
  const answer = await fetch(`${base}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: link.searchParams.get('token') }),
    redirect: 'manual',
  })
  expect(answer.headers.getSetCookie()[0]).toContain('; Secure')
  const cookie = answer.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')
  expect(await (await fetch(`${base}/api/v1/apps`, { headers: { cookie } })).json()).toEqual({
    apps: [
      {
        id: 'my-site',
        name: 'My site',
        timezone: 'Asia/Kathmandu',
        organization: 'my-organization',
        retention_days: null,
      },
    ],
  })
  await app.close()
  await storage.close()
  rmSync(dir, { recursive: true })
})

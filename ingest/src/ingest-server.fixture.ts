import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeEnvelope, type App, type Envelope, type KeyScope } from '@hopper/contracts'
import type { LogMessage, Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { fastify, type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { Registry as Metrics } from 'prom-client'
import { ingestPlugin, type IngestOptions } from './index.ts'

export const keys = {
  write: 'hw_shop_0123456789abcdef',
  read: 'hr_shop_0123456789abcdef',
  bound: 'hw_bound_0123456789abcdef',
}
export const boundOrigin = 'https://shop.example'
export const browser =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'

/**
 * Real plugin over the real embedded storage in a directory of its own, with two apps: `shop`, and `bound` to one
 * origin.
 */
export interface IngestServer extends AsyncDisposable {
  readonly server: FastifyInstance
  readonly storage: Storage
  /** reads everything in the log, lane by lane, or everything after these ends of its lanes */
  envelopes(since?: readonly number[]): Promise<Envelope[]>
  /** returns how many messages each lane has */
  ends(): Promise<number[]>
  /** closes the storage under the running server */
  closeStorage(): Promise<void>
  /** posts a body as a browser would */
  post(
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: never; headers: Record<string, unknown> }>
}

const app = (id: string, origins: string[]): App => ({
  id,
  organization: 'acme',
  name: id,
  timezone: 'UTC',
  origins,
  keep_parameters: [],
})

export async function openIngest(
  options: Partial<IngestOptions> = {},
  serverOptions: FastifyServerOptions = {},
): Promise<IngestServer> {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-ingest-'))
  const storage = await openEmbedded({ dir, lanes: 4 })
  await provision(storage)
  const server = fastify(serverOptions)
  await server.register(ingestPlugin, {
    log: storage.log,
    registry: storage.registry,
    secrets: storage.secrets,
    health: () => storage.health(),
    metrics: new Metrics(),
    answersUnknownPaths: true,
    ...options,
  })
  await server.ready()
  let closed: Promise<void> | undefined
  const closeStorage = (): Promise<void> => (closed ??= storage.close())
  const lanesFrom = (since: readonly number[]): Promise<(readonly LogMessage[])[]> =>
    Promise.all(
      Array.from({ length: storage.log.lanes }, (_, lane) => storage.log.read(lane, since[lane] ?? 0, 100_000)),
    )
  return {
    server,
    storage,
    closeStorage,
    async envelopes(since = []) {
      const lanes = await lanesFrom(since)
      return lanes.flat().map(({ value }) => decodeEnvelope(value))
    },
    ends: async () => (await lanesFrom([])).map(({ length }) => length),
    async post(body, headers = {}) {
      const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
      const answer = await server.inject({
        method: 'POST',
        url: `/v1/events?key=${keys.write}`,
        payload,
        headers: { 'content-type': 'text/plain', 'user-agent': browser, ...headers },
      })
      return { status: answer.statusCode, body: answer.json<never>(), headers: answer.headers }
    },
    async [Symbol.asyncDispose]() {
      await server.close()
      await closeStorage()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function provision({ registry }: Storage): Promise<void> {
  await registry.organizations.put('', 'acme', { id: 'acme', name: 'Acme' })
  await registry.apps.put('acme', 'shop', app('shop', []))
  await registry.apps.put('acme', 'bound', app('bound', [boundOrigin]))
  const key = async (text: string, power: KeyScope, appId: string): Promise<void> => {
    const hash = createHash('sha256').update(text).digest('hex')
    await registry.keys.put('acme', hash, {
      hash,
      power,
      organization: 'acme',
      app: appId,
      created_at: 0,
      hint: text.slice(-4),
    })
  }
  await key(keys.write, 'write', 'shop')
  await key(keys.read, 'read', 'shop')
  await key(keys.bound, 'write', 'bound')
}

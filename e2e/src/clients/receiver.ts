import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeEnvelope, HopperError, type Context } from '@hopper/contracts'
import { ingestPlugin } from '@hopper/ingest'
import type { Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { fastify, type FastifyRequest } from 'fastify'
import { Registry } from 'prom-client'
import { until } from '../installations/until.ts'

const LANES = 4
const MESSAGES_MAX = 10_000
const ARRIVAL_MS_MAX = 18_000
/** Calls that bring no events. */
const withoutEvents = /^\/(flags|decide|v1\/m)\b/

export const writeKey = 'hw_clients_0123456789abcdef'

/** An event of the log, with what its envelope says. */
export interface Logged {
  readonly device_id: string
  readonly context: Context
  readonly event_id: string
  readonly type: string
  readonly timestamp: number
  readonly [field: string]: unknown
}

/** A request that was answered. */
export interface Answered {
  readonly method: string
  readonly path: string
  readonly status: number
}

/** Ingest on a port of its own, over storage in a directory of its own. */
export interface Receiver extends AsyncDisposable {
  readonly url: string
  readonly answered: readonly Answered[]
  /**
   * Answers the next requests that bring events with 503: `refused` before their events are stored, `lost` after it, as
   * when the answer does not arrive.
   */
  fail(how: 'refused' | 'lost', requests: number): void
  /** reads the log: events in the order of their times, each as often as it is there */
  logged(): Promise<Logged[]>
  /** waits until this many events count; returns them */
  arrived(count: number): Promise<Logged[]>
}

export async function openReceiver(): Promise<Receiver> {
  const dir = await mkdtemp(join(tmpdir(), 'hopper-clients-'))
  const storage = await openEmbedded({ dir, lanes: LANES })
  await provision(storage)
  const server = fastify()
  const answered: Answered[] = []
  const failing = { how: 'refused', left: 0 }
  const lost = new WeakSet<FastifyRequest>()
  server.addHook('preHandler', async (request) => {
    if (request.method !== 'POST' || withoutEvents.test(request.url) || failing.left === 0) return
    failing.left--
    if (failing.how === 'refused') throw new HopperError('HOP_LOG_UNAVAILABLE')
    lost.add(request)
  })
  server.addHook('onSend', async (request, reply, payload) => {
    if (!lost.has(request)) return payload
    reply.code(503).header('retry-after', 1)
    return JSON.stringify(new HopperError('HOP_LOG_UNAVAILABLE').toBody())
  })
  server.addHook('onResponse', async ({ method, url }, { statusCode }) => {
    if (method !== 'OPTIONS') answered.push({ method, path: url.split('?', 1)[0]!, status: statusCode })
  })
  const { log, registry, secrets } = storage
  const health = (): ReturnType<Storage['health']> => storage.health()
  await server.register(ingestPlugin, {
    log,
    registry,
    secrets,
    health,
    metrics: new Registry(),
    answersUnknownPaths: true,
  })
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  return {
    url,
    answered,
    fail: (how, requests) => Object.assign(failing, { how, left: requests }),
    logged: () => eventsOf(storage),
    async arrived(count) {
      let events: Logged[] = []
      await until(async () => (events = once(await eventsOf(storage))).length >= count, ARRIVAL_MS_MAX)
      return events
    },
    async [Symbol.asyncDispose]() {
      await server.close()
      await storage.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Returns the first of the events with the same id and device: those that count. */
export function once(logged: readonly Logged[]): Logged[] {
  const first = new Map<string, Logged>()
  for (const event of logged) {
    const id = JSON.stringify([event.device_id, event.event_id])
    if (!first.has(id)) first.set(id, event)
  }
  return [...first.values()]
}

async function eventsOf({ log }: Storage): Promise<Logged[]> {
  const lanes = await Promise.all(Array.from({ length: LANES }, (_, lane) => log.read(lane, 0, MESSAGES_MAX)))
  return lanes
    .flat()
    .map(({ value }) => decodeEnvelope(value))
    .flatMap(({ device_id, context, events }) => events.map((event): Logged => ({ device_id, context, ...event })))
    .sort((a, b) => a.timestamp - b.timestamp)
}

async function provision({ registry }: Storage): Promise<void> {
  const hash = createHash('sha256').update(writeKey).digest('hex')
  const app = { id: 'shop', organization: 'acme', name: 'Shop', timezone: 'UTC', origins: [], keep_parameters: [] }
  await registry.organizations.put('', 'acme', { id: 'acme', name: 'Acme' })
  await registry.apps.put('acme', 'shop', app)
  await registry.keys.put('acme', hash, {
    hash,
    power: 'write',
    organization: 'acme',
    app: 'shop',
    created_at: 0,
    hint: writeKey.slice(-4),
  })
}

import { enabledOptions, HopperError, pickOfSubject, trackedConfig, type TrackerConfig } from '@hopper/contracts'
import type { Registry, SignedTokens } from '@hopper/storage'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { allowAnyOrigin, onlyMethod } from '../http/cors.ts'
import { hostOfPage } from '../http/page-host.ts'
import { etagOf, isFresh } from '../http/etag.ts'
import type { Gate } from '../admission/gate.ts'

const APPS_MAX = 1_000
// Many page loads read the registry once; a change becomes visible after this time and the 60 s of the browser's cache.
const CACHED_MS = 1_000

interface Encoded {
  readonly config: TrackerConfig
  readonly body: string
  readonly etag: string
}

interface Parts {
  readonly gate: Gate
  readonly registry: Registry
  readonly tokens: SignedTokens
}

/**
 * Serves `GET /v1/config`: the configuration of an app's tracker. With `pick=TOKEN` it also says whether the token of
 * the picker is valid.
 */
export function configRoute(server: FastifyInstance, { gate, registry, tokens }: Parts): void {
  const configs = new LRUCache<string, Encoded>({
    max: APPS_MAX,
    ttl: CACHED_MS,
    fetchMethod: async (app) => {
      const config = await trackerConfig(registry, app)
      const body = JSON.stringify(config)
      return { config, body, etag: etagOf(body) }
    },
  })
  const configOf = async (app: string): Promise<Encoded> => {
    try {
      return (await configs.fetch(app))!
    } catch (cause) {
      throw new HopperError('HOP_STORE_UNAVAILABLE', 'The registry of funnels does not answer.', { cause })
    }
  }
  onlyMethod(server, 'GET', '/v1/config')
  server.get(
    '/v1/config',
    { config: { access: 'write' }, onRequest: async (_request, reply) => allowAnyOrigin(reply) },
    async (request, reply) => {
      const { app } = await gate.admit(request)
      const { config, body, etag } = await configOf(app.id)
      const { pick } = request.query as { pick?: unknown }
      if (typeof pick === 'string') {
        reply.header('cache-control', 'no-store').type('application/json; charset=utf-8')
        return reply.send(JSON.stringify({ ...config, pick: await isPicking(tokens, app.id, pick, request) }))
      }
      reply
        .header('etag', etag)
        .header('cache-control', 'public, max-age=60')
        .header('vary', 'authorization, x-api-key')
      if (isFresh(request.headers['if-none-match'], etag)) return reply.code(304).send()
      return reply.type('application/json; charset=utf-8').send(body)
    },
  )
}

/** Returns whether a token lets a page of its site be picked from. */
async function isPicking(tokens: SignedTokens, app: string, token: string, request: FastifyRequest): Promise<boolean> {
  const verified = await tokens.verify('pick', app, token)
  return 'subject' in verified && pickOfSubject(verified.subject).host === hostOfPage(request)
}

async function trackerConfig(registry: Registry, id: string): Promise<TrackerConfig> {
  const [app, funnels, elements] = await Promise.all([
    registry.app(id),
    registry.funnels.list(id),
    registry.elements.list(id),
  ])
  const tracker = enabledOptions(app?.tracker)
  return {
    ...trackedConfig(app ?? { keep_parameters: [] }, funnels, elements),
    ...(app && app.keep_parameters.length > 0 && { keep_parameters: app.keep_parameters }),
    ...(app?.hash_routing && { hash_routing: true }),
    ...(Object.keys(tracker).length > 0 && { tracker }),
  }
}

import { HopperError, stageNumber, type Stage, type TrackerConfig } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { FastifyInstance } from 'fastify'
import { LRUCache } from 'lru-cache'
import { allowAnyOrigin, onlyMethod } from '../http/cors.ts'
import { etagOf, isFresh } from '../http/etag.ts'
import type { Gate } from '../admission/gate.ts'

const APPS_MAX = 1_000
// Many page loads read the registry once; a change becomes visible after this time and the 60 s of the browser's cache.
const CACHED_MS = 1_000

interface Encoded {
  readonly body: string
  readonly etag: string
}

/** Serves `GET /v1/config`: the configuration of an app's tracker. */
export function configRoute(server: FastifyInstance, { gate, registry }: { gate: Gate; registry: Registry }): void {
  const configs = new LRUCache<string, Encoded>({
    max: APPS_MAX,
    ttl: CACHED_MS,
    fetchMethod: async (app) => {
      const body = JSON.stringify(await trackerConfig(registry, app))
      return { body, etag: etagOf(body) }
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
  server.get('/v1/config', { onRequest: async (_request, reply) => allowAnyOrigin(reply) }, async (request, reply) => {
    const { app } = await gate.admit(request)
    const { body, etag } = await configOf(app.id)
    reply.header('etag', etag).header('cache-control', 'public, max-age=60').header('vary', 'authorization, x-api-key')
    if (isFresh(request.headers['if-none-match'], etag)) return reply.code(304).send()
    return reply.type('application/json; charset=utf-8').send(body)
  })
}

async function trackerConfig(registry: Registry, id: string): Promise<TrackerConfig> {
  const [app, funnels, elements] = await Promise.all([
    registry.app(id),
    registry.funnels.list(id),
    registry.elements.list(id),
  ])
  return {
    funnels: funnels.map(({ id, stages }) => ({ id, stages: stages.map(trackedStage) })),
    elements: elements.map(({ xpath }) => ({ xpath })),
    ...(app && app.keep_parameters.length > 0 && { keep_parameters: app.keep_parameters }),
    ...(app?.hash_routing && { hash_routing: true }),
  }
}

/** Returns a stage with the id that events use. */
function trackedStage(stage: Stage): Stage {
  const { name, url, click } = stage
  return { id: stageNumber(stage), name, ...(url !== undefined && { url }), ...(click !== undefined && { click }) }
}

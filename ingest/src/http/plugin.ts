import { HopperError } from '@hopper/contracts'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { registerBodyParser } from './body-parser.ts'
import { DurableLog } from '../durable-log.ts'
import { answerError } from './error-answer.ts'
import { Gate } from '../admission/gate.ts'
import { Intake } from '../intake.ts'
import { KeyCheck } from '../admission/key-check.ts'
import { createMetrics } from '../metrics.ts'
import type { IngestOptions } from '../options.ts'
import { Pipeline } from '../pipeline.ts'
import { RateLimit } from '../admission/rate-limit.ts'
import { unwrapPosthog } from './posthog-body.ts'
import { redactedRequest } from './redacted-request.ts'
import { configRoute } from '../routes/config-route.ts'
import { eventStoreRoutes } from '../routes/event-store-routes.ts'
import { eventsRoute } from '../routes/events-route.ts'
import { operationRoutes } from '../routes/operation-routes.ts'
import { posthogRoutes } from '../routes/posthog-routes.ts'
import { posthogSettingsRoutes } from '../routes/posthog-settings-routes.ts'
import { segmentRoutes } from '../routes/segment-routes.ts'
import { segmentSettingsRoute } from '../routes/segment-settings-route.ts'
import { sessionSocket } from '../routes/session-socket.ts'
import { trackRoutes } from '../routes/track-routes.ts'
import { trackerRoutes } from '../routes/tracker-route.ts'

/**
 * The gateway (docs/events.md) on any Fastify server. Parsers, hooks and the error handler are encapsulated, so that
 * they do not affect the server's other routes.
 */
export const ingestPlugin: FastifyPluginAsync<IngestOptions> = async (
  server: FastifyInstance,
  options: IngestOptions,
): Promise<void> => {
  const clock = options.clock ?? Date.now
  const pipeline = new Pipeline()
  const metrics = createMetrics(options.metrics, pipeline)
  const logger = options.logger ?? server.log
  const gate = new Gate(new KeyCheck(options.registry), new RateLimit(options.rates))
  const log = new DurableLog(options.log, metrics.appendSeconds, logger, options.waitingEventsMax)

  // registered before the routes, so that no log line contains an address or a key
  server.addHook('onRoute', (route) => void (route.logSerializers = { req: redactedRequest }))
  server.setErrorHandler(answerError(metrics.requests, logger))
  registerBodyParser(server)
  const intake = new Intake({ gate, log, pipeline, metrics })
  const writes = { gate, intake, metrics, clock }
  eventsRoute(server, writes)
  eventStoreRoutes(server, writes)
  trackRoutes(server, writes)
  await sessionSocket(server, writes, logger)
  await server.register(async (clients) => {
    // their clients name any type, or that of a form
    registerBodyParser(clients, '*')
    segmentRoutes(clients, writes)
  })
  segmentSettingsRoute(server, gate)
  await server.register(async (clients) => {
    registerBodyParser(clients, '*', unwrapPosthog)
    posthogRoutes(clients, writes)
  })
  await server.register(async (clients) => posthogSettingsRoutes(clients, gate))
  configRoute(server, { gate, registry: options.registry })
  operationRoutes(server, options)
  if (options.trackerFile !== undefined) await trackerRoutes(server, options.trackerFile)
  if (options.answersUnknownPaths) {
    // before any body is read: the body of a request to an unknown path does not matter
    server.addHook('onRequest', async (request, reply) => {
      if (request.is404) refuseUnknown(server, request, reply)
    })
    server.setNotFoundHandler((request, reply) => refuseUnknown(server, request, reply))
  }
}

const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT']

/** @throws HopperError HOP_METHOD when the path is known for other methods, else HOP_NOT_FOUND */
function refuseUnknown(server: FastifyInstance, request: FastifyRequest, reply: FastifyReply): never {
  const url = request.url.split('?', 1)[0]!
  const allowed = methods.filter((method) => server.hasRoute({ method, url }))
  if (allowed.length === 0)
    throw new HopperError('HOP_NOT_FOUND', `Nothing answers ${request.method} ${url.slice(0, 200)}.`)
  reply.header('allow', allowed.join(', '))
  throw new HopperError('HOP_METHOD', `This path takes ${allowed.join(', ')} only.`)
}

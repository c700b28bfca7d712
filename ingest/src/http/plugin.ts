import { HopperError, RouteTable } from '@hopper/contracts'
import { KeyUses, SignedTokens } from '@hopper/storage'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { bodyMemory, registerBodyParser } from './body-parser.ts'
import { DailySalts } from '../cookieless/daily-salts.ts'
import { DurableLog } from '../durable-log.ts'
import { answerError } from './error-answer.ts'
import { Gate } from '../admission/gate.ts'
import { Intake } from '../intake.ts'
import { KeyCheck } from '../admission/key-check.ts'
import { createMetrics } from '../metrics.ts'
import type { IngestOptions } from '../options.ts'
import { Quotas } from '../admission/quotas.ts'
import { Pipeline } from '../pipeline.ts'
import { RefusedRequests } from '../admission/refused-requests.ts'
import { RateLimit, shareOf } from '../admission/rate-limit.ts'
import { unwrapPosthog } from './posthog-body.ts'
import { redactedRequest } from './redacted-request.ts'
import { configRoute } from '../routes/config-route.ts'
import { eventStoreRoutes } from '../routes/event-store-routes.ts'
import { eventsRoute } from '../routes/events-route.ts'
import { linkRoutes } from '../routes/link-routes.ts'
import { picksRoute } from '../routes/picks-route.ts'
import { operationRoutes } from '../routes/operation-routes.ts'
import { posthogRoutes } from '../routes/posthog-routes.ts'
import { posthogSettingsRoutes } from '../routes/posthog-settings-routes.ts'
import { segmentRoutes } from '../routes/segment-routes.ts'
import { segmentSettingsRoute } from '../routes/segment-settings-route.ts'
import { sessionSocket } from '../routes/session-socket.ts'
import { trackRoutes } from '../routes/track-routes.ts'
import { trackerRoutes } from '../routes/tracker-route.ts'

/** An expired salt is deleted this long after its end, at most. */
const SALT_REMOVAL_INTERVAL_MS = 60_000

/**
 * Ingest (docs/events.md) on any Fastify server. Parsers, hooks and the error handler are encapsulated, so that
 * they do not affect the server's other routes.
 */
export const ingestPlugin: FastifyPluginAsync<IngestOptions> = async (
  server: FastifyInstance,
  options: IngestOptions,
): Promise<void> => {
  const clock = options.clock ?? Date.now
  const routes = RouteTable.of(server)
  const pipeline = new Pipeline()
  const metrics = createMetrics(options.metrics, pipeline)
  const logger = options.logger ?? server.log
  const sourceRates = options.rates && shareOf(options.rates, options.sourceSharePercent ?? 100)
  const gate = new Gate(
    new KeyCheck(options.registry),
    new RateLimit(options.rates),
    new RateLimit(sourceRates),
    new KeyUses(options.registry, clock),
  )
  const log = new DurableLog(options.log, metrics.appendSeconds, logger, options.waitingEventsMax)

  // registered before the routes, so that no log line contains an address or a key
  server.addHook('onRoute', (route) => void (route.logSerializers = { req: redactedRequest }))
  const refused = new RefusedRequests(options.registry, logger, clock, options.refusalsStoredEveryMs)
  server.addHook('onClose', () => refused.close())
  server.setErrorHandler(answerError(metrics.requests, refused, logger))
  const memory = bodyMemory()
  registerBodyParser(server, memory)
  const salts = new DailySalts(options.secrets)
  removeExpiredSalts(server, salts, { clock, logger })
  const quotas = new Quotas(options.registry, logger, options.quotaPauses)
  server.addHook('onClose', () => quotas.close())
  const intake = new Intake({ gate, quotas, log, pipeline, metrics, salts, geo: options.geo })
  const writes = { gate, quotas, intake, metrics, clock }
  eventsRoute(server, writes)
  eventStoreRoutes(server, writes)
  trackRoutes(server, writes)
  await sessionSocket(server, writes, logger, options.socketsMax)
  await server.register(async (clients) => {
    // their clients name any type, or that of a form
    registerBodyParser(clients, memory, '*')
    segmentRoutes(clients, writes)
  })
  segmentSettingsRoute(server, gate)
  await server.register(async (clients) => {
    registerBodyParser(clients, memory, '*', unwrapPosthog)
    posthogRoutes(clients, writes)
  })
  await server.register(async (clients) => posthogSettingsRoutes(clients, gate, memory))
  const tokens = new SignedTokens(options.secrets, clock)
  linkRoutes(server, { gate, tokens })
  configRoute(server, { gate, registry: options.registry, tokens })
  picksRoute(server, { gate, registry: options.registry, tokens })
  operationRoutes(server, options)
  if (options.trackerFile !== undefined) await trackerRoutes(server, { file: options.trackerFile, gate })
  if (options.answersUnknownPaths) {
    // before any body is read: the body of a request to an unknown path does not matter
    server.addHook('onRequest', async (request, reply) => {
      if (request.is404) return answerUnknown(routes, request, reply)
    })
    server.setNotFoundHandler((request, reply) => answerUnknown(routes, request, reply))
  }
}

/** Removes expired salts now and then until the server closes, also while no request comes. */
function removeExpiredSalts(
  server: FastifyInstance,
  salts: DailySalts,
  { clock, logger }: { readonly clock: () => number; readonly logger: NonNullable<IngestOptions['logger']> },
): void {
  const remove = (): void =>
    void salts
      .removeExpired(clock())
      .catch((err: unknown) => logger.error({ err }, 'expired salts are not deleted yet'))
  remove()
  const timer = setInterval(remove, SALT_REMOVAL_INTERVAL_MS)
  timer.unref()
  server.addHook('onClose', async () => clearInterval(timer))
}

/**
 * Answers OPTIONS for a known path.
 * @throws HopperError HOP_METHOD when the path is known for other methods, else HOP_NOT_FOUND
 */
function answerUnknown(routes: RouteTable, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const allowed = routes.methodsOf(request.url)
  if (allowed.length === 0) {
    const path = request.url.split('?', 1)[0]!.slice(0, 200)
    throw new HopperError('HOP_NOT_FOUND', `Nothing answers ${request.method} ${path}.`)
  }
  reply.header('allow', allowed.join(', '))
  if (request.method === 'OPTIONS') return reply.code(204).send()
  throw new HopperError('HOP_METHOD', `This path takes ${allowed.join(', ')} only.`)
}

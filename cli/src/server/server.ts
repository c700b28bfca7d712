import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { apiInTurns } from './api-turns.ts'
import { sequentially } from './pipelined.ts'
import { answerForServer, answerParserError, answerRouterError, checkHost } from './protocol-errors.ts'

/** grace period for a browser that holds a connection open when the server closes */
const CLOSE_MS_MAX = 3_000

/** an id of 256 characters, each of them escaped */
const PATH_PART_CHARS_MAX = 1_024

/** time limit for sending a request: no client can hold a connection by sending a body byte by byte */
const REQUEST_MS_MAX = 60_000

/** idle time limit of a connection between two requests: longer than that of proxies */
const KEEP_ALIVE_MS = 72_000

/** Tells whether to leave HTTP: clients of Java offer HTTP/2 by the same header in ordinary requests. */
function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket'
}

/** Ends the connection of a refused WebSocket: Node no longer watches over it once it has left HTTP. */
function endRefusedUpgrades(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    if (asksForWebSocket(request.raw)) reply.header('connection', 'close')
  })
  server.addHook('onResponse', async (request) => {
    if (asksForWebSocket(request.raw)) request.raw.socket.destroySoon()
  })
}

/**
 * Creates the HTTP server of a process. When it closes, busy connections (a stream of events, a slow client) are cut
 * after a grace period.
 */
export function createServer(logger: Logger, trustProxy: boolean): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = logger
  const server = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: PATH_PART_CHARS_MAX },
    serverFactory: (handle) => {
      const http: Server = createHttpServer(
        {
          requireHostHeader: false,
          requestTimeout: REQUEST_MS_MAX,
          keepAliveTimeout: KEEP_ALIVE_MS,
          shouldUpgradeCallback: (request) => asksForWebSocket(request) && http.listenerCount('upgrade') > 0,
        },
        sequentially(apiInTurns(handle)),
      )
      return http
    },
    clientErrorHandler: answerParserError,
    frameworkErrors: answerRouterError,
  })
  answerForServer(server.server)
  server.addHook('onRequest', async (request) => checkHost(request))
  endRefusedUpgrades(server)
  server.addHook('preClose', (done) => {
    setTimeout(() => server.server.closeAllConnections(), CLOSE_MS_MAX).unref()
    done()
  })
  return server
}

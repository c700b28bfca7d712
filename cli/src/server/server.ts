import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { RouteTable } from '@hopper/contracts'
import { firstPartyPath } from '@hopper/ingest'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { settings } from '../config/settings.ts'
import { connectionMetrics } from '../metrics/connection-metrics.ts'
import { apiInTurns } from './api-turns.ts'
import { ConnectionLimit, openFilesMax } from './connection-limit.ts'
import { sequentially } from './pipelined-requests.ts'
import { refuseShortChunks } from './short-chunks.ts'
import { setSecurityHeaders } from './security-headers.ts'
import { answerForServer, answerParserError, answerRouterError, checkHost } from './protocol-errors.ts'

/** grace period for a browser that holds a connection open when the server closes */
const CLOSE_MS_MAX = 3_000

/** an id of 256 characters, each of them escaped */
const PATH_PART_CHARS_MAX = 1_024

/** time limit for sending a request: no client can hold a connection by sending a body byte by byte */
const REQUEST_MS_MAX = 60_000

/** interval between two checks of the time limit, in ms */
const CHECK_INTERVAL_MS = 5_000

/** idle time limit of a connection between two requests: longer than that of proxies */
const KEEP_ALIVE_MS = 72_000

/** Returns whether to leave HTTP: clients of Java offer HTTP/2 by the same header in ordinary requests. */
function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket'
}

/** Ends the connection of a refused WebSocket: Node no longer watches over it once it has left HTTP. */
function endRefusedUpgrades(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    if (asksForWebSocket(request.raw)) reply.header('connection', 'close')
    done()
  })
  server.addHook('onResponse', (request, _reply, done) => {
    if (asksForWebSocket(request.raw)) request.raw.socket.destroySoon()
    done()
  })
}

/** The bound of the connections of a server. */
export interface ServerConnections {
  /** default: that of the setting */
  readonly connectionsMax?: number
  readonly metrics?: Registry
}

/**
 * Creates the HTTP server of a process. When it closes, busy connections (a stream of events, a slow client) are cut
 * after a grace period. `trustedProxies`: how many proxies in front are trusted, each of which appends to
 * `X-Forwarded-For` the address that it saw; addresses before those are only a claim of the visitor.
 */
export function createServer(
  logger: Logger,
  trustedProxies: number,
  { connectionsMax = Number(settings.connections.default), metrics }: ServerConnections = {},
): FastifyInstance {
  const isByAddress = trustedProxies === 0
  const limit = new ConnectionLimit({ connectionsMax, isByAddress, filesMax: openFilesMax() }, logger)
  if (metrics) connectionMetrics(metrics, limit)
  const loggerInstance: FastifyBaseLogger = logger
  const server: FastifyInstance = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    // `request.ip` is the address of the client, everywhere: the entry before those that trusted proxies have added
    trustProxy: trustedProxies > 0 && ((_address, hop) => hop < trustedProxies),
    rewriteUrl: ({ url = '' }) => firstPartyPath(url),
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: PATH_PART_CHARS_MAX },
    serverFactory: (handle) => {
      const http: Server = createHttpServer(
        {
          requireHostHeader: false,
          requestTimeout: REQUEST_MS_MAX,
          connectionsCheckingInterval: CHECK_INTERVAL_MS,
          keepAliveTimeout: KEEP_ALIVE_MS,
          shouldUpgradeCallback: (request) => asksForWebSocket(request) && http.listenerCount('upgrade') > 0,
        },
        refuseShortChunks(sequentially(apiInTurns(handle))),
      )
      return http
    },
    clientErrorHandler: (error, socket) => answerParserError(error, socket, RouteTable.of(server)),
    frameworkErrors: answerRouterError,
  })
  answerForServer(server.server, RouteTable.of(server))
  limit.watch(server.server)
  setSecurityHeaders(server)
  server.addHook('onRequest', async (request) => checkHost(request))
  endRefusedUpgrades(server)
  server.addHook('preClose', (done) => {
    setTimeout(() => server.server.closeAllConnections(), CLOSE_MS_MAX).unref()
    done()
  })
  return server
}

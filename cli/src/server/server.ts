import { createServer as createHttpServer } from 'node:http'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { apiInTurns } from './api-turns.ts'
import { oneAfterTheOther } from './pipelined.ts'
import { answerForServer, answerParserError, answerRouterError, checkHost } from './protocol-errors.ts'

/** what a browser that holds a connection open is granted when the server closes */
const CLOSE_MS_MAX = 3_000

/** an id of 256 characters, each of them escaped */
const PATH_PART_CHARS_MAX = 1_024

/** how long a client may take to send a request: nobody holds a place open by sending a body byte by byte */
const REQUEST_MS_MAX = 60_000

/** how long a connection may be idle between two requests: longer than proxies keep theirs */
const KEEP_ALIVE_MS = 72_000

/**
 * The HTTP server of a process. When it closes, connections that stay busy (a stream of events, a slow client) are cut
 * after a moment.
 */
export function createServer(logger: Logger, trustProxy: boolean): FastifyInstance {
  const server = Fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: PATH_PART_CHARS_MAX },
    serverFactory: (handle) =>
      createHttpServer(
        { requireHostHeader: false, requestTimeout: REQUEST_MS_MAX, keepAliveTimeout: KEEP_ALIVE_MS },
        oneAfterTheOther(apiInTurns(handle)),
      ),
    clientErrorHandler: answerParserError,
    frameworkErrors: answerRouterError,
  })
  answerForServer(server.server)
  server.addHook('onRequest', async (request) => checkHost(request))
  server.addHook('preClose', (done) => {
    setTimeout(() => server.server.closeAllConnections(), CLOSE_MS_MAX).unref()
    done()
  })
  return server
}

import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import { HopperError, type ErrorCode, type RouteTable } from '@hopper/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { DashboardFiles } from './dashboard-files.ts'
import { secureHeaders } from './secure-headers.ts'

/** Error codes of refusals by Fastify and Nest before a handler runs, by status. */
const refusals: Readonly<Record<number, ErrorCode>> = {
  400: 'HOP_BODY_INVALID',
  413: 'HOP_BODY_TOO_LARGE',
  414: 'HOP_URL_TOO_LONG',
  415: 'HOP_BODY_TYPE',
}

/**
 * Errors with a status of 5xx that callers cause, by a costly query or by going away: nobody has to act, and a
 * caller could fill the log with them. `hopper_api_request_seconds` counts them by status.
 */
const ofCallers: ReadonlySet<ErrorCode> = new Set(['HOP_QUERY_TIMEOUT', 'HOP_QUERY_BUSY', 'HOP_SLOW_READER'])

/** Sends every error as a body of the catalogue. An error without a code is logged and sent as HOP_INTERNAL. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly routes: RouteTable
  private readonly dashboard: DashboardFiles | undefined
  private readonly logger: Logger

  constructor(routes: RouteTable, dashboard: DashboardFiles | undefined, logger: Logger) {
    this.routes = routes
    this.dashboard = dashboard
    this.logger = logger
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>()
    const reply = host.switchToHttp().getResponse<FastifyReply>()
    const error = this.toHopperError(thrown, request, reply)
    if (error.code === 'HOP_NOT_FOUND' && request.is404 && this.dashboard?.answersPage(request)) {
      this.dashboard.sendPage(request, reply)
      return
    }
    if (error.status >= 500 && !ofCallers.has(error.code))
      this.logger.error({ err: thrown, request: request.id }, 'a call failed')
    secureHeaders(reply)
    const wait = retryAfterSeconds(error)
    if (wait !== undefined) void reply.header('retry-after', wait)
    // remove headers that the handler set for its answer, such as the content type of CSV
    void reply
      .removeHeader('content-disposition')
      .type('application/json; charset=utf-8')
      .code(error.status)
      .send(JSON.stringify(error.toBody()))
  }

  private toHopperError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): HopperError {
    if (thrown instanceof HopperError) return thrown
    const status =
      thrown instanceof HttpException ? thrown.getStatus() : (thrown as { statusCode?: number } | null)?.statusCode
    if (status === 404) {
      const allowed = this.routes.methodsOf(request.url)
      // a file of a path that takes GET may not exist
      if (allowed.length === 0 || allowed.includes(request.method)) return new HopperError('HOP_NOT_FOUND')
      void reply.header('allow', allowed.join(', '))
      return new HopperError('HOP_METHOD', `This path takes ${allowed.join(', ')} only.`)
    }
    if (status !== undefined && status >= 400 && status < 500)
      return new HopperError(
        refusals[status] ?? 'HOP_BODY_INVALID',
        status === 413 ? 'The body is too large.' : undefined,
      )
    return new HopperError('HOP_INTERNAL', undefined, { details: { request: request.id }, cause: thrown })
  }
}

function retryAfterSeconds(error: HopperError): number | undefined {
  const { retry_after_seconds: seconds } = (error.details ?? {}) as { retry_after_seconds?: number }
  if (seconds !== undefined) return seconds
  return error.retryable && error.status === 503 ? 1 : undefined
}

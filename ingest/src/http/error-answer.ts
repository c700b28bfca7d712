import { HopperError, type ErrorCode } from '@hopper/contracts'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { Counter } from 'prom-client'
import type { RefusedRequests } from '../admission/refused-requests.ts'

const RETRY_AFTER_SECONDS = 1
/** A refused key may be accepted later; a page that retries sooner only fills its console with errors. */
const REFUSED_KEY_SECONDS = 3_600

/** Turns any thrown value into the common shape of errors, and counts it. */
export function answerError(
  requests: Counter<'status' | 'code'>,
  refused: Pick<RefusedRequests, 'add'>,
  logger: Pick<FastifyBaseLogger, 'error'>,
) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const error = asHopperError(thrown, request)
    if (error.code === 'HOP_INTERNAL')
      logger.error({ err: thrown, reqId: request.id, path: request.routeOptions.url }, 'request failed')
    requests.inc({ status: error.status, code: error.code })
    refused.add(request, error.code)
    const isRefused = error.status === 401 || error.status === 403
    if (isRefused || (error.retryable && error.status < 504)) {
      // also readable for scripts of a page, whose client waits for that time
      reply
        .header('retry-after', isRefused ? REFUSED_KEY_SECONDS : retryAfter(error))
        .header('access-control-expose-headers', 'retry-after')
    }
    return reply.code(error.status).type('application/json; charset=utf-8').send(JSON.stringify(error.toBody()))
  }
}

/** Returns the seconds until the sender may try again. */
function retryAfter({ details }: HopperError): number {
  return (details as { retry_after?: number } | undefined)?.retry_after ?? RETRY_AFTER_SECONDS
}

/** Error codes of ours for errors that Fastify itself raises, by Fastify's code. */
const fastifyCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'HOP_BODY_TYPE',
}

/** Returns the error of the catalogue for any thrown value. */
export function asHopperError(thrown: unknown, request: FastifyRequest): HopperError {
  if (thrown instanceof HopperError) return thrown
  const { code = '', statusCode = 500 } = thrown as { code?: string; statusCode?: number }
  const known = Object.hasOwn(fastifyCodes, code) ? fastifyCodes[code] : undefined
  if (known) return new HopperError(known)
  if (statusCode >= 400 && statusCode < 500)
    return new HopperError('HOP_BODY_INVALID', 'The request could not be read.', { cause: thrown })
  return new HopperError('HOP_INTERNAL', undefined, { cause: thrown, details: { request_id: request.id } })
}

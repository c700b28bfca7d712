import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/**
 * Headers of every answer, errors included. They suffice for answers that no page shows; the API and the dashboard
 * override them with policies of their own.
 */
export const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const

const YEAR_SECONDS = 31_536_000

/** Sets the headers before anything else can answer. Over https, browsers must use nothing else for a year. */
export function setSecurityHeaders(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    headersOf(request, reply)
    done()
  })
}

/** Sets the security headers of an answer; HSTS only if the request came by https. */
export function headersOf(request: Pick<FastifyRequest, 'protocol'>, reply: FastifyReply): void {
  void reply.headers(securityHeaders)
  if (request.protocol === 'https') void reply.header('strict-transport-security', `max-age=${YEAR_SECONDS}`)
}

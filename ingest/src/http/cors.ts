import { HopperError, RouteTable } from '@hopper/contracts'
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'

const DAY_SECONDS = 86_400
/** Names of the headers that pages send: our own, those of Segment's clients on a retry, and RudderStack's. */
const headers = 'authorization, x-api-key, content-type, content-encoding, x-retry-count, anonymousid'
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const satisfies HTTPMethods[]

/** Allows every origin, without credentials: the key in the request is the only authority. */
export function allowAnyOrigin(reply: FastifyReply): void {
  reply.header('access-control-allow-origin', '*')
}

/** Answers the preflight of a path. */
export function answerPreflight(server: FastifyInstance, allowed: readonly HTTPMethods[], url: string): void {
  const routes = RouteTable.of(server)
  server.options(url, { config: { access: 'nothing' } }, (request, reply) => {
    allowAnyOrigin(reply)
    return reply
      .code(204)
      .header('allow', routes.methodsOf(request.url).join(', '))
      .header('access-control-allow-methods', allowed.join(', '))
      .header('access-control-allow-headers', headers)
      .header('access-control-max-age', DAY_SECONDS)
      .send()
  })
}

/** Answers the preflight of a path, and answers 405 to all methods but one, before any body is read. */
export function onlyMethod(server: FastifyInstance, method: 'GET' | 'POST', url: string): void {
  onlyMethods(server, [method], url)
}

/** Answers the preflight of a path, and answers 405 to all methods but some, before any body is read. */
export function onlyMethods(server: FastifyInstance, allowed: readonly ('GET' | 'POST')[], url: string): void {
  answerPreflight(server, allowed, url)
  const routes = RouteTable.of(server)
  const refuse = ({ url }: FastifyRequest, reply: FastifyReply): never => {
    const taken = routes.methodsOf(url).join(', ')
    reply.header('allow', taken)
    throw new HopperError('HOP_METHOD', `This path takes ${taken} only.`)
  }
  server.route({
    url,
    config: { access: 'nothing', refuses: true },
    method: methods.filter((other) => !allowed.some((method) => method === other)),
    onRequest: async (request, reply) => {
      allowAnyOrigin(reply)
      refuse(request, reply)
    },
    handler: refuse,
  })
}

import { isUtf8 } from 'node:buffer'
import { HopperError } from '@hopper/contracts'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/**
 * Reads bodies as JSON. An empty body is none, whatever type its header names: clients set the header by habit, also
 * for DELETE.
 */
export function registerJsonBody(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error')
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined)
    if (isEncoded(request))
      return done(
        new HopperError('HOP_BODY_TYPE', 'This call takes no compressed body; send it without Content-Encoding.'),
      )
    if (!isUtf8(body)) return done(new HopperError('HOP_BODY_INVALID', 'The body is not UTF-8.'))
    parseJson(request, body.toString('utf8'), (error, value) => done(error && notJson(error), value))
  })
  fastify.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined)
    const type = JSON.stringify((request.headers['content-type'] ?? '').slice(0, 100))
    done(new HopperError('HOP_BODY_TYPE', `This call takes a body of the type application/json, not ${type}.`))
  })
}

function isEncoded({ headers }: FastifyRequest): boolean {
  const encoding = headers['content-encoding'] ?? 'identity'
  return encoding.trim().toLowerCase() !== 'identity'
}

function notJson(cause: Error): HopperError {
  return new HopperError(
    'HOP_BODY_INVALID',
    `The body is not JSON: ${cause.message.replace(/\.$/, '').slice(0, 200)}.`,
    { cause },
  )
}

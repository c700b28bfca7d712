import { isUtf8 } from 'node:buffer'
import { HopperError } from '@hopper/contracts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Requester } from '../../query/sharing/shares.ts'
import { assertBoundedText } from './bounded.ts'
import { LargeBodies } from './large-bodies.ts'

/** Larger bodies wait in the queue of `LargeBodies`. */
const LARGE_BYTES = 65_536

/**
 * Parses bodies as JSON. An empty body counts as absent whatever its content type, because clients often send the
 * header by default, even with DELETE.
 */
export function registerJsonBody(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error')
  const large = new LargeBodies()
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined)
    if (isEncoded(request))
      return done(
        new HopperError(
          'HOP_BODY_TYPE',
          'This call does not accept compressed bodies; send the body without Content-Encoding.',
        ),
      )
    if (!isUtf8(body)) return done(new HopperError('HOP_BODY_INVALID', 'The body is not UTF-8.'))
    const read = (): void => {
      try {
        assertBoundedText(body)
      } catch (error) {
        return done(error as Error)
      }
      void parseJson(request, body.toString('utf8'), (error, value) => done(error && notJson(error), value))
    }
    if (body.length <= LARGE_BYTES) return read()
    try {
      large.take(requesterOf(request), body.length, read)
    } catch (error) {
      done(error as Error)
    }
  })
  fastify.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined)
    const type = JSON.stringify((request.headers['content-type'] ?? '').slice(0, 100))
    done(new HopperError('HOP_BODY_TYPE', `This call accepts a body of the type application/json, not ${type}.`))
  })
}

/** Identifies the sender of a body as far as possible before the key is checked. */
function requesterOf({ headers, query, params, ip }: FastifyRequest): Requester {
  const key =
    headers.authorization ?? headers['x-api-key'] ?? (query as { key?: string | string[] }).key ?? headers.cookie ?? ip
  return { app: (params as { app?: string }).app ?? '', caller: String(key) }
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

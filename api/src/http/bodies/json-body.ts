import { isUtf8 } from 'node:buffer'
import { BodyMemory, collectBody, HopperError, limits, withExactNumbers } from '@hopper/contracts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { assertBoundedText } from './assert-bounded.ts'

/** Bytes of bodies that have arrived in part. */
const BODIES_BYTES_MAX = 16 * 1_048_576

/** The only call that takes a form: its page works without scripts. Any site can send a form, but not JSON. */
const FORM_PATH = '/login'

type Done = (error: Error | null, body?: unknown) => void

/**
 * Parses bodies as JSON. An empty body counts as absent whatever its content type, because clients often send the
 * header by default, even with DELETE.
 */
export function registerJsonBody(fastify: FastifyInstance): void {
  const memory = new BodyMemory(BODIES_BYTES_MAX)
  // A body is parsed and validated in the thread of HTTP, so its size bounds how long other requests wait for it.
  const parse = (type: string, read: (request: FastifyRequest, body: Buffer, done: Done) => void): void =>
    void fastify.addContentTypeParser(type, (request, payload, done) => {
      const contentLength = request.headers['content-length']
      const arriving = { payload, contentLength, bytesMax: limits.apiBodyBytesMax, memory, address: request.ip }
      const take = (body: Buffer): void => (body.length === 0 ? done(null, undefined) : read(request, body, done))
      collectBody(arriving, take, (error) => done(error))
    })
  const parseJson = fastify.getDefaultJsonParser('error', 'error')
  fastify.removeAllContentTypeParsers()
  parse('application/json', (request, body, done) => {
    if (isEncoded(request))
      return done(
        new HopperError(
          'HOP_BODY_TYPE',
          'This call does not accept compressed bodies; send the body without Content-Encoding.',
        ),
      )
    if (!isUtf8(body)) return done(new HopperError('HOP_BODY_INVALID', 'The body is not UTF-8.'))
    try {
      assertBoundedText(body)
    } catch (error) {
      return done(error as Error)
    }
    const text = body.toString('utf8')
    void parseJson(request, withExactNumbers(text), (error, value) => done(error && refusedJson(text), value))
  })
  parse('application/x-www-form-urlencoded', (request, body, done) => {
    if (request.routeOptions.url !== FORM_PATH) return done(notJsonType(request))
    done(null, Object.fromEntries(new URLSearchParams(body.toString('utf8'))))
  })
  parse('*', (request, _body, done) => done(notJsonType(request)))
}

function notJsonType({ headers }: FastifyRequest): HopperError {
  const type = JSON.stringify((headers['content-type'] ?? '').slice(0, 100))
  return new HopperError('HOP_BODY_TYPE', `This call accepts a body of the type application/json, not ${type}.`)
}

function isEncoded({ headers }: FastifyRequest): boolean {
  const encoding = headers['content-encoding'] ?? 'identity'
  return encoding.trim().toLowerCase() !== 'identity'
}

/** Describes where a text stops being JSON; Fastify's parser refuses two keys as well, and gives no place. */
function refusedJson(text: string): HopperError {
  try {
    JSON.parse(text)
  } catch (cause) {
    return new HopperError('HOP_BODY_INVALID', `The body is not JSON: ${(cause as Error).message.slice(0, 200)}.`, {
      cause,
    })
  }
  return new HopperError('HOP_BODY_INVALID', 'No key may be named "__proto__" or "constructor"; rename it.')
}

import { hash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isApiPath } from './secure-headers.ts'

const TAGGED = /^(application\/json|text\/csv)/
/** Until when all events are counted goes on with the clock, while the answer stays what it was. */
const COMPLETE_TO = /"complete_to":\d+/

/** Gives every answer to a GET of the API an entity tag (RFC 9110), and answers 304 to whoever has it already. */
export function tagAnswers(fastify: FastifyInstance): void {
  fastify.addHook(
    'onSend',
    (
      request: FastifyRequest,
      reply: FastifyReply,
      payload: unknown,
      done: (error: null, payload?: unknown) => void,
    ) => {
      if (!isTagged(request, reply, payload)) return done(null, payload)
      const tag = tagOf(payload)
      void reply.header('etag', tag)
      if (!isFresh(request.headers['if-none-match'], tag)) return done(null, payload)
      void reply
        .code(304)
        .removeHeader('content-type')
        .removeHeader('content-disposition')
        .removeHeader('content-length')
      done(null, '')
    },
  )
}

function isTagged({ method, url }: FastifyRequest, reply: FastifyReply, payload: unknown): payload is string | Buffer {
  const isRead = (method === 'GET' || method === 'HEAD') && reply.statusCode === 200 && isApiPath(url)
  return (
    isRead &&
    (typeof payload === 'string' || Buffer.isBuffer(payload)) &&
    TAGGED.test(String(reply.getHeader('content-type'))) &&
    !reply.hasHeader('etag')
  )
}

/** Weak, since answers that mean the same may differ in how far they know all events. */
function tagOf(payload: string | Buffer): string {
  const text = payload.toString()
  const meta = text.lastIndexOf('"meta":{')
  const stable = meta < 0 ? text : text.slice(0, meta) + text.slice(meta).replace(COMPLETE_TO, '')
  return `W/"${hash('sha256', stable, 'hex').slice(0, 32)}"`
}

function isFresh(ifNoneMatch: string | undefined, tag: string): boolean {
  const plain = (each: string): string => each.trim().replace(/^W\//, '')
  return (ifNoneMatch ?? '').split(',').some((each) => plain(each) === '*' || plain(each) === plain(tag))
}

import { hash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isApiPath } from './secure-headers.ts'

const TAGGED = /^(application\/json|text\/csv)/
/** `complete_to` advances with the clock while the rest of the answer stays the same. */
const COMPLETE_TO = /"complete_to":(?:\d+|null)/

/** Adds an entity tag (RFC 9110) to every answer to a GET of the API, and answers 304 if the client has it already. */
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
      const tag = knownTag(reply) ?? tagOf(payload)
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
    TAGGED.test(String(reply.getHeader('content-type')))
  )
}

/** Returns the tag of an answer that its thread has hashed. */
function knownTag(reply: FastifyReply): string | undefined {
  const tag = reply.getHeader('etag')
  return typeof tag === 'string' ? tag : undefined
}

/** Computes a weak tag, because equivalent answers may differ in `complete_to`. */
function tagOf(payload: string | Buffer): string {
  const text = payload.toString()
  const meta = text.lastIndexOf('"meta":{')
  const stable = meta < 0 ? text : text.slice(0, meta) + text.slice(meta).replace(COMPLETE_TO, '')
  return `W/"${hash('sha256', stable, 'hex').slice(0, 32)}"`
}

/** Returns whether an If-None-Match header names a tag. */
export function isFresh(ifNoneMatch: string | undefined, tag: string): boolean {
  const plain = (each: string): string => each.trim().replace(/^W\//, '')
  return (ifNoneMatch ?? '').split(',').some((each) => plain(each) === '*' || plain(each) === plain(tag))
}

import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { HopperError } from '@hopper/contracts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { allowAnyOrigin } from '../http/cors.ts'
import { etagOf, isFresh } from '../http/etag.ts'

const SHORT = 'public, max-age=300'
const FOR_EVER = 'public, max-age=31536000, immutable'

/**
 * Serves `GET /hopper.js`, and the same script under an address with the hash of its content. It is compressed once, at
 * the start.
 */
export async function trackerRoutes(server: FastifyInstance, file: string): Promise<void> {
  const script = await readFile(file).catch((cause: Error) => {
    throw new HopperError('HOP_CONFIG', `The tracker ${file} cannot be read (${cause.message}); build it.`, { cause })
  })
  const bodies = {
    br: await promisify(brotliCompress)(script, {
      params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
    }),
    gzip: await promisify(gzip)(script, { level: constants.Z_BEST_COMPRESSION }),
  }
  const etag = etagOf(script)
  const answer =
    (cacheControl: string) =>
    (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
      allowAnyOrigin(reply)
      reply
        .header('etag', etag)
        .header('cache-control', cacheControl)
        .header('vary', 'accept-encoding')
        .header('cross-origin-resource-policy', 'cross-origin')
      if (isFresh(request.headers['if-none-match'], etag)) return reply.code(304).send()
      const encoding = encodingOf(request.headers['accept-encoding'])
      if (encoding) reply.header('content-encoding', encoding)
      return reply.type('text/javascript; charset=utf-8').send(encoding ? bodies[encoding] : script)
    }
  server.get('/hopper.js', answer(SHORT))
  server.get(`/hopper.${hash('sha256', script, 'hex').slice(0, 16)}.js`, answer(FOR_EVER))
}

function encodingOf(accepted = ''): 'br' | 'gzip' | undefined {
  const names = accepted
    .split(',')
    .filter((part) => !/;\s*q=0(\.0*)?\s*$/.test(part))
    .map((part) => part.split(';', 1)[0]!.trim().toLowerCase())
  return (['br', 'gzip'] as const).find((name) => names.includes(name))
}

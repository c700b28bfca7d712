import fastifyCompress from '@fastify/compress'
import type { FastifyInstance, RouteOptions } from 'fastify'

/** Smaller answers are sent as they are: compressing them saves no packet. */
const BYTES_MIN = 1_024
/** Up to this size an answer is compressed on the thread that serves HTTP, in well under a millisecond. */
const SYNC_BYTES_MAX = 4_096
const COMPRESSED = /^(application\/(schema\+)?json|text\/(csv|html|css|plain)|(text|application)\/javascript)(;|$)/
/**
 * Exports of a whole range: they are large, each client reads them once, usually on the same machine or through a pipe,
 * and compressing them would take the processor from ingest. Arrow has its own compression.
 */
const EXPORT = /\/export$/

/**
 * Compresses the answers of the API with brotli or gzip for clients that accept it, in the threads of zlib. Streams of
 * events and exports are never compressed. Register it before the routes.
 */
export async function compressAnswers(fastify: FastifyInstance): Promise<void> {
  fastify.addHook('onRoute', (route: RouteOptions) => {
    if (EXPORT.test(route.url)) route.compress = false
  })
  await fastify.register(fastifyCompress, {
    encodings: ['br', 'gzip'],
    // request bodies are decompressed by ingest, within its bounds
    globalDecompression: false,
    threshold: BYTES_MIN,
    syncThreshold: SYNC_BYTES_MAX,
    customTypes: COMPRESSED,
  } as Parameters<typeof fastifyCompress>[1])
}

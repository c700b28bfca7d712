import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Gate } from '../admission/gate.ts'
import { allowAnyOrigin } from '../http/cors.ts'
import { isFresh } from '../http/etag.ts'
import { TrackerScripts, type Encoding, type Script } from '../tracker/tracker-scripts.ts'

const SHORT = 'public, max-age=300'
const FOR_EVER = 'public, max-age=31536000, immutable'

/**
 * Serves `GET /hopper.js`: with `key=KEY` the tracker as the app of the key needs it, else the one without options. The
 * same scripts are served under addresses with the hash of their content. Serves the picker, which a tracker loads, as
 * `GET /v1/picker.js`.
 */
export async function trackerRoutes(
  server: FastifyInstance,
  { file, gate }: { readonly file: string; readonly gate: Gate },
): Promise<void> {
  const scripts = await TrackerScripts.open(file)
  server.get('/hopper.js', { config: { access: 'nothing' } }, async (request, reply) => {
    allowAnyOrigin(reply)
    const { key } = request.query as { key?: unknown }
    if (key === undefined) return answer(scripts.default, SHORT, request, reply)
    // before the key is looked up: this is the only limit for somebody who guesses keys
    gate.admitSource(request)
    const script = scripts.of((await gate.senderOf(textOf(key))).app)
    return answer(script, SHORT, request, reply)
  })
  const { picker } = scripts
  if (picker)
    server.get('/v1/picker.js', { config: { access: 'nothing' } }, (request, reply) =>
      answer(picker, SHORT, request, reply),
    )
  for (const script of scripts.all)
    server.get(`/hopper.${script.hash}.js`, { config: { access: 'nothing' } }, (request, reply) =>
      answer(script, FOR_EVER, request, reply),
    )
}

/** Returns the key; none for a parameter that is repeated. */
function textOf(key: unknown): string {
  return typeof key === 'string' ? key : ''
}

async function answer(
  script: Script,
  cacheControl: string,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  allowAnyOrigin(reply)
  reply
    .header('etag', script.etag)
    .header('cache-control', cacheControl)
    .header('vary', 'accept-encoding')
    .header('cross-origin-resource-policy', 'cross-origin')
  if (isFresh(headers['if-none-match'], script.etag)) return reply.code(304).send()
  const encoding = encodingOf(headers['accept-encoding'])
  if (encoding) reply.header('content-encoding', encoding)
  return reply
    .type('text/javascript; charset=utf-8')
    .send(encoding === undefined ? script.bytes : await script.encoded(encoding))
}

function encodingOf(accepted = ''): Encoding | undefined {
  const names = accepted
    .split(',')
    .filter((part) => !/;\s*q=0(\.0*)?\s*$/.test(part))
    .map((part) => part.split(';', 1)[0]!.trim().toLowerCase())
  return (['br', 'gzip'] as const).find((name) => names.includes(name))
}

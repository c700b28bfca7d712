import fastifyWebsocket, { type WebSocket } from '@fastify/websocket'
import { HopperError } from '@hopper/contracts'
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify'
import type { Sender } from '../admission/key-check.ts'
import { OpenSockets } from '../admission/open-sockets.ts'
import { translatedBatch } from '../batch/batch.ts'
import { parseJson } from '../http/body-parser.ts'
import { asHopperError } from '../http/error-answer.ts'
import type { Taken } from '../intake.ts'
import { sessionMessages } from '../translate/session.ts'
import type { WriteParts } from './write-route.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
/** Bytes of one message; a longer one closes the socket with 1009. A socket holds one message at a time. */
const MESSAGE_BYTES_MAX = 65_536
/**
 * Maximum fragments of a message, and pieces in which the network delivers one; more close the socket with 1008. Even a
 * piece of one byte costs far more memory than that.
 */
const PARTS_MAX = 256
/** Sockets of this process: 256 MB of messages at most, in about twice the memory. */
const SOCKETS_MAX = 4_000
/** Answers that a client has not read; a client that falls further behind is disconnected. */
const UNREAD_BYTES_MAX = 65_536
const PING_INTERVAL_MS = 30_000
const LOG_INTERVAL_MS = 60_000
/** Close codes of RFC 6455, section 7.4.1, and of the IANA registry. */
const closeCodes = { goingAway: 1001, tooSlow: 1008, tryAgain: 1013 } as const

/**
 * Serves `GET /ws?sessionId=UUID`: the events of a session over a WebSocket. Each message is answered, in order, after
 * it is durable: `{ ack: n }` with the number of the message on this socket, from 1; or `{ error }`, and the socket
 * stays. A client that was cut off reconnects and sends unacknowledged messages again.
 */
export async function sessionSocket(
  server: FastifyInstance,
  parts: WriteParts,
  logger: Pick<FastifyBaseLogger, 'info' | 'error'>,
  socketsMax = SOCKETS_MAX,
): Promise<void> {
  const sockets = new OpenSockets<WebSocket>(socketsMax)
  const sayBroken = brokenSocketLog(logger)
  /** sockets that have answered the last ping, or are new */
  const alive = new WeakSet<WebSocket>()
  const senders = new WeakMap<FastifyRequest, Sender>()
  const pings = setInterval(() => ping(sockets, alive), PING_INTERVAL_MS)
  pings.unref()
  await server.register(fastifyWebsocket, {
    options: {
      maxPayload: MESSAGE_BYTES_MAX,
      maxFragments: PARTS_MAX,
      maxBufferedChunks: PARTS_MAX,
      perMessageDeflate: false,
    },
    preClose: (done) => {
      clearInterval(pings)
      for (const socket of sockets) socket.close(closeCodes.goingAway)
      done()
    },
  })
  server.route({
    method: 'GET',
    url: '/ws',
    config: { access: 'write' },
    // The plugin would log each broken frame as an error; the handler below logs them now and then, as information.
    logLevel: 'silent',
    onRequest: async (request) => {
      const sender = await parts.gate.admit(request)
      sockets.assertShare(sender)
      senders.set(request, sender)
      assertSession(sessionIdOf(request))
      if (request.ws) assertHandshake(request.headers)
    },
    handler: async () => {
      throw new HopperError('HOP_REQUEST_INVALID', 'This path takes WebSockets: send "Upgrade: websocket".')
    },
    wsHandler: (socket, request) => {
      const sender = senders.get(request)!
      if (!sockets.add(socket, sender)) return socket.close(closeCodes.tryAgain, 'too many sockets are open')
      alive.add(socket)
      socket.on('pong', () => alive.add(socket))
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', sayBroken)
      serve(socket, (message) => answerTo(message, { ...parts, logger }, request, sender))
    },
  })
}

/**
 * Logs that sockets were closed for their content, at most once a minute, since everybody with a write key can cause
 * it.
 */
function brokenSocketLog(logger: Pick<FastifyBaseLogger, 'info'>): (error: Error) => void {
  let saidAt = -Infinity
  let sockets = 0
  return ({ message }) => {
    sockets++
    const now = performance.now()
    if (now - saidAt < LOG_INTERVAL_MS) return
    logger.info({ sockets, reason: message }, 'WebSockets were closed for their content')
    saidAt = now
    sockets = 0
  }
}

/** Answers the messages of a socket one after the other; later ones stay in the socket until then. */
function serve(socket: WebSocket, take: (message: Buffer) => Promise<object>): void {
  let number = 0
  let answered = 0
  let last = Promise.resolve()
  socket.on('message', (message: Buffer) => {
    const ordinal = ++number
    // Messages of the chunk that was read already still arrive.
    socket.pause()
    last = last.then(async () => {
      const answer = await take(message)
      answered++
      if (socket.readyState !== socket.OPEN) return
      socket.send(JSON.stringify('error' in answer ? { ...answer, message: ordinal } : { ack: ordinal, ...answer }))
      if (socket.bufferedAmount > UNREAD_BYTES_MAX) socket.close(closeCodes.tooSlow, 'the answers are not read')
      else if (answered === number) socket.resume()
    })
  })
}

/** Returns the answer to a message: only its number, unless something in it was not stored as sent. */
async function answerTo(
  message: Buffer,
  { gate, intake, clock, logger }: WriteParts & { readonly logger: Pick<FastifyBaseLogger, 'error'> },
  request: FastifyRequest,
  sender: Sender,
): Promise<object> {
  try {
    gate.admitMessage(sender)
    const body = parseJson(message)
    const translated = sessionMessages(body.value, sender.app.id, sessionIdOf(request)!)
    const read = translatedBatch(body, translated, sender.app, clock())
    const { headers, ip: address } = request
    return remarksOf(await intake.take(read, { headers, sender, address, bytes: message.length, keyAnywhere: true }))
  } catch (thrown) {
    const error = asHopperError(thrown, request)
    if (error.code === 'HOP_INTERNAL') logger.error({ err: thrown, reqId: request.id }, 'a message of a socket failed')
    return error.toBody()
  }
}

function remarksOf({ answer: { accepted, ...remarks } }: Taken): object {
  const { rejected, ...others } = remarks
  return rejected.length > 0 ? { accepted, rejected, ...others } : others
}

function sessionIdOf(request: FastifyRequest): string | undefined {
  const { sessionId } = request.query as { sessionId?: unknown }
  return typeof sessionId === 'string' ? sessionId : undefined
}

function assertSession(sessionId: string | undefined): void {
  if (sessionId === undefined || !UUID.test(sessionId))
    throw new HopperError('HOP_PARAM_INVALID', 'The parameter "sessionId" must be a UUID.', {
      details: { fields: [{ field: 'sessionId', message: 'must be a UUID' }] },
    })
}

/** Headers of a valid handshake (RFC 6455, section 4.2.1). The library checks them too; its errors lack our shape. */
const handshake: readonly (readonly [header: string, pattern: RegExp])[] = [
  ['sec-websocket-key', /^[+/0-9A-Za-z]{22}==$/],
  ['sec-websocket-version', /^(?:8|13)$/],
  ['sec-websocket-protocol', /^$|^[!#$%&'*+.^`|~\w-]+(?:[ \t]*,[ \t]*[!#$%&'*+.^`|~\w-]+)*$/],
]

function assertHandshake(headers: FastifyRequest['headers']): void {
  for (const [header, pattern] of handshake)
    if (!pattern.test(String(headers[header] ?? '')))
      throw new HopperError('HOP_REQUEST_INVALID', `The header "${header}" of the WebSocket handshake is not valid.`)
}

/** Ends the sockets that did not answer the last ping, and pings the others. */
function ping(sockets: Iterable<WebSocket>, alive: WeakSet<WebSocket>): void {
  for (const socket of sockets) {
    if (!alive.delete(socket)) socket.terminate()
    socket.ping()
  }
}

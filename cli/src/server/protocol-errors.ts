import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { HopperError, type ErrorCode } from '@hopper/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { headersOf, securityHeaders } from './security-headers.ts'

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
/** A request line of this length alone means that the line, not the headers, exceeded the parser's buffer. */
const LINE_CHARS_MAX = 8_192

/** Parser errors by their code. Everything else is not an HTTP request. */
const parserCodes: Readonly<Record<string, ErrorCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'HOP_REQUEST_TIMEOUT',
  HPE_HEADER_OVERFLOW: 'HOP_HEADERS_TOO_LARGE',
  HPE_INVALID_METHOD: 'HOP_METHOD',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'HOP_BODY_TOO_LARGE',
}

/** Errors of the router before it has found a route. */
const routerCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_BAD_URL: 'HOP_REQUEST_INVALID',
  FST_ERR_MAX_PARAM_LENGTH: 'HOP_URL_TOO_LONG',
}

/** An error of the parser, with the last bytes that it received. */
interface ParserError {
  readonly code?: string | undefined
  readonly rawPacket?: unknown
}

/**
 * Answers input that the HTTP parser could not read, and closes the connection, since the start of the next request is
 * unknown.
 */
export function answerParserError(error: ParserError, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  endWith(socket, new HopperError(parserCode(error)))
}

/** Answers an address that cannot be matched to a route. */
export function answerRouterError(
  error: { readonly code: string },
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const known = new HopperError(routerCodes[error.code] ?? 'HOP_REQUEST_INVALID')
  headersOf(request, reply)
  void reply.code(known.status).type('application/json; charset=utf-8').send(JSON.stringify(known.toBody()))
}

/** Gives the empty answers of Node's own server the shape of every other error. */
export function answerForServer(server: Server): void {
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const error = new HopperError('HOP_EXPECTATION')
    response
      .writeHead(error.status, {
        'content-type': 'application/json; charset=utf-8',
        connection: 'close',
        ...securityHeaders,
      })
      .end(JSON.stringify(error.toBody()))
  })
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => endWith(socket, new HopperError('HOP_METHOD')))
}

/** HTTP/1.1 requires the Host header. Node checks it too, but answers without a body. */
export function checkHost({ raw }: Pick<FastifyRequest, 'raw'>): void {
  if (raw.headers.host === undefined && raw.httpVersion === '1.1')
    throw new HopperError('HOP_REQUEST_INVALID', 'An HTTP/1.1 request needs the Host header.')
}

function parserCode({ code = '', rawPacket }: ParserError): ErrorCode {
  const known = parserCodes[code] ?? 'HOP_REQUEST_INVALID'
  if (known !== 'HOP_HEADERS_TOO_LARGE' || !Buffer.isBuffer(rawPacket)) return known
  const lineEnd = rawPacket.indexOf('\n')
  const isLongLine =
    (lineEnd < 0 ? rawPacket.length : lineEnd) > LINE_CHARS_MAX &&
    /^[A-Z]+ \//.test(rawPacket.toString('latin1', 0, 20))
  return isLongLine ? 'HOP_URL_TOO_LONG' : known
}

/** Answers on a connection that leaves HTTP, and closes it. */
export function endWith(socket: Duplex, error: HopperError): void {
  const body = JSON.stringify(error.toBody())
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(error.code === 'HOP_METHOD' ? [`Allow: ${METHODS}`] : []),
    ...Object.entries(securityHeaders).map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
  ]
  if (socket.writable) socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
  else socket.destroy()
}

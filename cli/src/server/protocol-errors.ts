import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { METHODS, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { HopperError, type ErrorCode, type RouteTable } from '@hopper/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { headersOf, securityHeaders } from './security-headers.ts'

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
export function answerParserError(error: ParserError, socket: Duplex, routes?: RouteTable): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  endWith(socket, new HopperError(parserCode(error)), routes && allowedFor(error, routes))
}

/** Returns the methods of the path of an unknown method; those of the whole server for bytes that name no path. */
function allowedFor({ rawPacket }: ParserError, routes: RouteTable): readonly string[] {
  const start = Buffer.isBuffer(rawPacket) ? rawPacket.toString('latin1', 0, LINE_CHARS_MAX) : ''
  const [, method = '', path = ''] = /^([A-Z]+) (\/\S*) HTTP\//.exec(start) ?? []
  // a packet that begins with a known method holds an earlier request
  const allowed = METHODS.includes(method) ? [] : routes.methodsOf(path)
  return allowed.length > 0 ? allowed : routes.all
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
export function answerForServer(server: Server, routes: RouteTable): void {
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
  server.on('connect', (_request: IncomingMessage, socket: Duplex) =>
    endWith(socket, new HopperError('HOP_METHOD'), routes.all),
  )
}

/** `Host` of RFC 9110: a name or an address, and a port. It may be empty. */
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(?::\d*)?$/

/**
 * Checks the Host header as RFC 9112 demands: a proxy that believes another one than we do would mix up two sites. Node
 * checks only that there is one, and answers without a body.
 */
export function checkHost({ raw }: Pick<FastifyRequest, 'raw'>): void {
  const { host } = raw.headers
  if (host === undefined) {
    if (raw.httpVersion !== '1.1') return
    throw new HopperError('HOP_REQUEST_INVALID', 'An HTTP/1.1 request needs the Host header.')
  }
  // Node keeps the first of several
  if (timesOf('host', raw.rawHeaders) > 1)
    throw new HopperError('HOP_REQUEST_INVALID', 'A request has one Host header, and this one has several.')
  if (!HOST.test(host))
    throw new HopperError(
      'HOP_REQUEST_INVALID',
      'The Host header must be a host, and may have a port: example.com:8080.',
    )
}

/** Returns how often a header was sent. */
function timesOf(name: string, rawHeaders: readonly string[]): number {
  let times = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at]!
    if (header.length === name.length && header.toLowerCase() === name) times++
  }
  return times
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
export function endWith(socket: Duplex, error: HopperError, allowed: readonly string[] = []): void {
  const body = JSON.stringify(error.toBody())
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(error.code === 'HOP_METHOD' ? [`Allow: ${allowed.join(', ')}`] : []),
    ...Object.entries(securityHeaders).map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
  ]
  if (socket.writable) socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
  else socket.destroy()
}

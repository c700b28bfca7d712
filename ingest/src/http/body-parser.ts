import { isAscii, isUtf8 } from 'node:buffer'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { BodyMemory, collectBody, HopperError, limits, withExactNumbers, type ArrivingBody } from '@hopper/contracts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { limitDepth } from './limit-depth.ts'

/** Smaller bodies cannot be nested deeply enough to matter. */
const LARGE_BYTES = 16_384
/** Far deeper than any part of an event that is stored. */
const DEPTH_MAX = 64

type Decompress = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>
const encodings: ReadonlyMap<string, Decompress> = new Map([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
])

/** Body, parsed as JSON. */
export interface ParsedBody {
  readonly value: unknown
  /** as it was sent, after decompression */
  readonly bytes: Buffer
  /** true when parsing the bytes again gives exactly `value`, and they contain only valid Unicode */
  readonly exact: boolean
  /** true when no string contains half a surrogate pair, which only an escape can introduce */
  readonly isUnicode: boolean
}

/** Pages send text/plain because it needs no preflight. */
const documentedTypes = ['application/json', 'text/plain']

/** Finds the JSON in a body that a client has wrapped in its own way; the content encoding is taken off before. */
export type Unwrap = (body: Buffer, request: FastifyRequest) => Promise<Buffer>

/** Bytes of bodies that have arrived in part. */
const BODIES_BYTES_MAX = 64 * 1_048_576

/** Returns the memory of the bodies that a server reads. */
export function bodyMemory(): BodyMemory {
  return new BodyMemory(BODIES_BYTES_MAX)
}

/** Parses bodies of some content types, or of any (`*`), as JSON. */
export function registerBodyParser(
  server: FastifyInstance,
  memory: BodyMemory,
  types: string | string[] = documentedTypes,
  unwrap?: Unwrap,
): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(types, (request, payload, done: Done) => {
    const encoding = request.headers['content-encoding']
    const unwrapped = unwrap && ((body: Buffer) => unwrap(body, request))
    const refuse = (error: Error, bytes: number): void => {
      refusedBytes.set(request, bytes)
      done(error)
    }
    const read = (body: Buffer): void =>
      readBody(body, encoding, (error, parsed) => (error ? refuse(error, body.length) : done(null, parsed)), unwrapped)
    collectBody(arriving(request, payload, memory), read, refuse)
  })
}

/** bytes of bodies that were refused, as far as they have arrived */
const refusedBytes = new WeakMap<FastifyRequest, number>()

/** Returns how many bytes of a request's body have arrived; of one that was parsed, after decompression. */
export function arrivedBytes(request: FastifyRequest): number {
  return (request.body as ParsedBody | undefined)?.bytes.length ?? refusedBytes.get(request) ?? 0
}

/** Returns the body of a request of ingest, to be collected. */
export function arriving({ headers, ip }: FastifyRequest, payload: Readable, memory: BodyMemory): ArrivingBody {
  const contentLength = headers['content-length']
  return { payload, contentLength, bytesMax: limits.bodyBytesMax, memory, address: ip }
}

type Done = (error: Error | null, body?: ParsedBody) => void

/** Parses an unencoded body, as nearly all are, synchronously. */
function readBody(body: Buffer, encoding = 'identity', done: Done, unwrap?: (body: Buffer) => Promise<Buffer>): void {
  const isPlain = encoding === 'identity'
  if (isPlain && !unwrap) return finish(body, done)
  const decoded = isPlain ? Promise.resolve(body) : decompress(body, encoding.trim().toLowerCase())
  void (unwrap ? decoded.then(unwrap) : decoded).then((bytes) => finish(bytes, done), done)
}

function finish(bytes: Buffer, done: Done): void {
  let body: ParsedBody
  try {
    body = parseJson(bytes)
  } catch (error) {
    return done(error as Error)
  }
  done(null, body)
}

/** Decompresses a body. The size limit applies after decompression too: zlib stops as soon as the output is longer. */
export async function decompress(body: Buffer, encoding: string): Promise<Buffer> {
  const decoder = encodings.get(encoding)
  if (!decoder)
    throw new HopperError(
      'HOP_BODY_TYPE',
      `The content encoding must be gzip, deflate or br, not ${JSON.stringify(encoding.slice(0, 50))}.`,
    )
  try {
    return await decoder(body, { maxOutputLength: limits.bodyBytesMax })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new HopperError('HOP_BODY_TOO_LARGE', 'The body is too large once decompressed.')
    throw new HopperError('HOP_BODY_INVALID', `The body is not ${encoding}, though the request says so.`, { cause })
  }
}

/** @throws HopperError HOP_BODY_INVALID for a body that is not UTF-8 or not JSON */
export function parseJson(bytes: Buffer): ParsedBody {
  const isPlain = isAscii(bytes)
  if (!isPlain && !isUtf8(bytes)) throw new HopperError('HOP_BODY_INVALID', 'The body is not UTF-8.')
  const read = bytes.length > LARGE_BYTES ? limitDepth(bytes, DEPTH_MAX, limits.eventBytesMax) : bytes
  const text = read.toString(isPlain ? 'latin1' : 'utf8')
  const json = withExactNumbers(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
  const isUnicode = !hasHalfPair(json)
  try {
    return { value: JSON.parse(json), bytes, exact: isUnicode && json === text && read === bytes, isUnicode }
  } catch (cause) {
    const value = withNulls(json)
    if (value !== undefined) return { value, bytes, exact: false, isUnicode }
    throw new HopperError('HOP_BODY_INVALID', `The body is not JSON: ${(cause as Error).message.slice(0, 200)}.`, {
      cause,
    })
  }
}

/**
 * Returns whether an escape is half a surrogate pair. The pattern matches escaped backslashes and whole pairs first, so
 * that they pass.
 */
function hasHalfPair(json: string): boolean {
  if (!json.includes('\\u') || !/\\u[dD][89a-fA-F]/.test(json)) return false
  const candidate = /\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g
  for (let match = candidate.exec(json); match !== null; match = candidate.exec(json))
    if (match[0].length === 6) return true
  return false
}

/**
 * Parses JSON that contains numbers outside of the JSON grammar (NaN, Infinity), as Python writes by default. Each
 * becomes null, so that one value does not cost the whole body. Strings are matched as wholes, so they do not change;
 * an unterminated string extends to the end of the input, which keeps this linear.
 */
function withNulls(json: string): unknown {
  if (!/NaN|Infinity/.test(json)) return undefined
  try {
    return JSON.parse(
      json.replace(/"(?:[^"\\]|\\[\s\S])*"?|-?\bInfinity\b|\bNaN\b/g, (match) =>
        match.startsWith('"') ? match : 'null',
      ),
    )
  } catch {
    return undefined
  }
}

import { isAscii, isUtf8 } from 'node:buffer'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { HopperError, limits } from '@hopper/contracts'
import type { FastifyInstance } from 'fastify'
import { cutDeep } from './cut-deep.ts'
import { collect } from '../batch/payload.ts'

/** A smaller body cannot be nested deep enough to matter. */
const LARGE_BYTES = 16_384
/** Far deeper than anything of an event that is kept. */
const DEPTH_MAX = 64

type Decompress = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>
const encodings: ReadonlyMap<string, Decompress> = new Map([
  ['gzip', promisify(gunzip) as Decompress],
  ['x-gzip', promisify(gunzip) as Decompress],
  ['deflate', promisify(inflate) as Decompress],
  ['br', promisify(brotliDecompress) as Decompress],
])

/** A body as JSON. */
export interface ParsedBody {
  readonly value: unknown
  /** as it was sent, after decompression */
  readonly bytes: Buffer
  /** whether the bytes, read again, say exactly `value`, and hold nothing that UTF-8 does not */
  readonly exact: boolean
  /** whether no text has half a surrogate pair, which only an escape can smuggle in */
  readonly isUnicode: boolean
}

/**
 * Reads bodies as JSON, whichever of the two types they claim: a page sends text/plain because that needs no preflight.
 */
export function registerBodyParser(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(['application/json', 'text/plain'], ({ headers }, payload, done: Done) =>
    collect(payload, headers['content-length'], (body) => readBody(body, headers['content-encoding'], done), done),
  )
}

type Done = (error: Error | null, body?: ParsedBody) => void

/** A plain body, as nearly all are, is read within the turn. */
function readBody(body: Buffer, encoding = 'identity', done: Done): void {
  if (encoding === 'identity') return finish(body, done)
  decompress(body, encoding.trim().toLowerCase()).then((bytes) => finish(bytes, done), done)
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

/** The bound holds after decompression too: zlib stops as soon as the output is longer. */
async function decompress(body: Buffer, encoding: string): Promise<Buffer> {
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
    throw new HopperError('HOP_BODY_INVALID', `The body is not ${encoding}, though its header says so.`, { cause })
  }
}

/** @throws HopperError HOP_BODY_INVALID for what is no UTF-8 or no JSON */
function parseJson(bytes: Buffer): ParsedBody {
  const isPlain = isAscii(bytes)
  if (!isPlain && !isUtf8(bytes)) throw new HopperError('HOP_BODY_INVALID', 'The body is not UTF-8.')
  const read = bytes.length > LARGE_BYTES ? cutDeep(bytes, DEPTH_MAX, limits.eventBytesMax) : bytes
  const text = read.toString(isPlain ? 'latin1' : 'utf8')
  const json = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
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
 * Whether an escape is half a surrogate pair. An escaped backslash and a whole pair are matched first, so that they
 * pass.
 */
function hasHalfPair(json: string): boolean {
  if (!json.includes('\\u') || !/\\u[dD][89a-fA-F]/.test(json)) return false
  const candidate = /\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}/g
  for (let match = candidate.exec(json); match !== null; match = candidate.exec(json))
    if (match[0].length === 6) return true
  return false
}

/**
 * Reads JSON in which numbers are written that JSON does not have, as Python does by default: each is a null, so that
 * one value does not cost a whole body. Texts are matched as wholes, so that they stay; one without an end runs to the
 * end, which keeps this linear.
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

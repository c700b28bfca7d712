import { HopperError } from '@hopper/contracts'
import type { FastifyRequest } from 'fastify'
import { decompress } from './body-parser.ts'

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b])
const FORM_START = 'data='
const compressions: ReadonlySet<string> = new Set(['gzip-js', 'gzip', 'base64'])

/**
 * Finds the JSON in a body of PostHog's clients: gzip that no header names, base64, or a form with either in its field
 * `data`. The output of gzip is bounded like any decompressed body; base64 only makes it shorter.
 */
export async function unwrapPosthog(body: Buffer, { query }: FastifyRequest): Promise<Buffer> {
  const { compression } = query as { compression?: unknown }
  if (typeof compression === 'string' && compression !== '' && !compressions.has(compression))
    throw new HopperError(
      'HOP_BODY_TYPE',
      `The compression must be gzip-js or base64, not ${compression.slice(0, 20)}.`,
    )
  if (isGzip(body)) return decompress(body, 'gzip')
  const data = isForm(body) ? fieldOf(body) : body
  if (isGzip(data) || isJson(data)) return isGzip(data) ? decompress(data, 'gzip') : data
  const decoded = Buffer.from(data.toString('latin1'), 'base64')
  if (isGzip(decoded)) return decompress(decoded, 'gzip')
  return isJson(decoded) ? decoded : data
}

function isGzip(bytes: Buffer): boolean {
  return bytes.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC)
}

/** Returns whether bytes begin as an object or a list in JSON does. */
function isJson(bytes: Buffer): boolean {
  return /^(\ufeff)?\s*[[{]/.test(bytes.toString('utf8', 0, 100))
}

function isForm(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, FORM_START.length) === FORM_START
}

/** Returns the field `data` of a form. In JSON a plus sign is a space; in base64 it is one that was not escaped. */
function fieldOf(form: Buffer): Buffer {
  const field = form.toString('latin1', FORM_START.length).split('&', 1)[0]!
  try {
    const json = Buffer.from(decodeURIComponent(field.replaceAll('+', ' ')))
    return isJson(json) ? json : Buffer.from(decodeURIComponent(field))
  } catch (cause) {
    throw new HopperError('HOP_BODY_INVALID', 'The field "data" of the form is not encoded as a form is.', { cause })
  }
}

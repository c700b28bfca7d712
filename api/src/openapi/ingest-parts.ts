import type { ErrorCode } from '@hopper/contracts'
import { errorResponses } from './errors.ts'
import { examples } from './examples.ts'
import type { Components } from './components.ts'
import type { TSchema } from 'typebox'

/** Ways to send a write key. */
export const writeKey = [{ bearer: [] }, { basic: [] }, { header: [] }, { parameter: [] }]
/** The same, or in the body. */
export const writeKeyOrBody = [...writeKey, {}]

/** Errors that any call of ingest may return. */
export const always: readonly ErrorCode[] = [
  'HOP_REQUEST_INVALID',
  'HOP_REQUEST_TIMEOUT',
  'HOP_URL_TOO_LONG',
  'HOP_EXPECTATION',
  'HOP_HEADERS_TOO_LARGE',
  'HOP_INTERNAL',
]
/** Errors of a call that needs a write key. */
export const keyErrors: readonly ErrorCode[] = [
  'HOP_KEY_MISSING',
  'HOP_KEY_UNKNOWN',
  'HOP_KEY_POWER',
  'HOP_ORIGIN',
  'HOP_RATE',
  'HOP_STORE_UNAVAILABLE',
]
/** Errors of a call that takes events. */
export const writeErrors: readonly ErrorCode[] = [
  ...always,
  ...keyErrors,
  'HOP_BODY_INVALID',
  'HOP_BODY_TOO_LARGE',
  'HOP_BODY_TYPE',
  'HOP_LOG_UNAVAILABLE',
  'HOP_QUOTA',
]

export const text = { schema: { type: 'string' } }
export const unchanged = { description: 'the caller has this answer already' }
export const json = (schema: object): object => ({
  description: 'the answer',
  content: { 'application/json': { schema } },
})

/** A call that another product's clients make. */
export interface ClientCall {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  /** name of the schema of the body; `examples` has an example of it */
  readonly body: string
  readonly answer: TSchema
}

/** Describes a call by which another product's clients send events. */
export function clientCall({ body, answer, ...said }: ClientCall, components: Components): object {
  const media = { schema: { $ref: `#/components/schemas/${body}` }, example: examples[body] }
  return {
    tags: ['Clients of other products'],
    ...said,
    security: writeKeyOrBody,
    requestBody: { required: true, content: { 'application/json': media, 'text/plain': media } },
    responses: { 200: json(components.answer(answer)), ...errorResponses(writeErrors) },
  }
}

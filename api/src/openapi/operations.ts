import type { TObject } from 'typebox'
import { parametersOf, type Call } from '../http/call.ts'
import type { Components } from './components.ts'
import { errorResponses, errorsOf } from './errors.ts'
import { examples } from './examples.ts'

const anyKey = [{ bearer: [] }, { header: [] }, { parameter: [] }, { cookie: [] }]
const security: Record<Call['need'], readonly object[]> = {
  nothing: [],
  login: [{ cookie: [] }],
  shared: [{ sharedLink: [] }],
  read: anyKey,
  admin: anyKey,
}
const text = { schema: { type: 'string' } }
const lastEventId = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  ...text,
  description: '`id` of the last event that the client has: the stream resumes after it',
}

/** Describes a call as an OpenAPI operation. */
export function operationOf(call: Call, method: string, path: string, components: Components): object {
  const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1 },
  }))
  return {
    security: [...security[call.need], ...(call.shared ? security.shared : [])],
    parameters: [...parts, ...queryParameters(parametersOf(call)), ...conditional(call, method)],
    ...(call.body
      ? { requestBody: { required: true, content: { 'application/json': bodyOf(call.body, components) } } }
      : {}),
    responses: {
      ...answers(call, method, components),
      ...(call.empty ? { [call.empty.status]: { description: call.empty.meaning } } : {}),
      ...errorResponses(errorsOf(call, method, path)),
    },
  }
}

function queryParameters(query: TObject | undefined): object[] {
  const required = new Set<string>(query?.required ?? [])
  return Object.entries(query?.properties ?? {}).map(([name, schema]) => {
    const { description, ...rest } = schema as { description?: string }
    return {
      name,
      in: 'query',
      required: required.has(name),
      schema: rest,
      ...(description === undefined ? {} : { description }),
    }
  })
}

function conditional({ answer, lenient, media }: Call, method: string): object[] {
  if (media?.includes('text/event-stream')) return [lastEventId]
  if (method !== 'get' || !answer || lenient || media) return []
  return [
    {
      name: 'If-None-Match',
      in: 'header',
      required: false,
      schema: { type: 'string' },
      description: 'entity tags that the caller has: 304 when the answer is one of them',
    },
  ]
}

function bodyOf(body: TObject, components: Components): object {
  const schema = components.request(body) as { $ref?: string }
  const name = schema.$ref
    ?.split('/')
    .at(-1)!
    .replace(/Input$/, '')
  const example = name === undefined ? undefined : examples[name]
  return { schema, ...(example === undefined ? {} : { example }) }
}

function answers(call: Call, method: string, components: Components): Record<string, object> {
  const status = call.status ?? (call.answer === undefined ? 204 : method === 'post' ? 201 : 200)
  if (call.media)
    return {
      [status]: { description: 'the stream', content: Object.fromEntries(call.media.map((type) => [type, text])) },
    }
  if (!call.answer)
    return { [status]: { description: 'done', ...(status === 302 ? { headers: { Location: text } } : {}) } }
  const json = { 'application/json': { schema: components.answer(call.answer) } }
  const content = {
    ...json,
    ...(call.csv ? { 'text/csv': text } : {}),
    ...(call.progress ? { 'text/event-stream': text } : {}),
  }
  const tag =
    method === 'get' && !call.lenient
      ? { headers: { ETag: { ...text, description: 'changes when the answer does' } } }
      : {}
  const unchanged =
    method === 'get' && !call.lenient ? { 304: { description: 'the caller has this answer already' } } : {}
  return { [status]: { description: 'the answer', ...tag, content }, ...unchanged }
}

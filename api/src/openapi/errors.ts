import { errorCatalogue, type ErrorCode } from '@hopper/contracts'
import type { Call } from '../http/call.ts'

/** The schema of every error. */
export const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string', enum: Object.keys(errorCatalogue), description: 'one of docs/errors.md' },
        message: { type: 'string', description: 'what happened and what to do' },
        details: {
          type: 'object',
          properties: {
            fields: {
              type: 'array',
              description: 'the faults of a request',
              items: {
                type: 'object',
                required: ['field', 'message'],
                properties: {
                  field: { type: 'string', examples: ['steps[0].filters[1].type'] },
                  message: { type: 'string' },
                },
              },
            },
          },
        },
      },
    },
  },
  examples: [
    {
      error: {
        code: 'HOP_PARAM_INVALID',
        message: 'windowMs is unknown here; did you mean window_ms?',
        details: { fields: [{ field: 'windowMs', message: 'is unknown here; did you mean window_ms?' }] },
      },
    },
  ],
}

/** Errors that any call may return. */
const everywhere: readonly ErrorCode[] = [
  'HOP_REQUEST_INVALID',
  'HOP_PARAM_INVALID',
  'HOP_REQUEST_TIMEOUT',
  'HOP_URL_TOO_LONG',
  'HOP_EXPECTATION',
  'HOP_HEADERS_TOO_LARGE',
  'HOP_INTERNAL',
]

/** Lists the errors of a call, from its access and its inputs. */
export function errorsOf(call: Call, method: string, path: string): ErrorCode[] {
  const changes = method !== 'get'
  const codes: ErrorCode[] = [...everywhere]
  if (call.need !== 'nothing')
    codes.push(
      'HOP_KEY_UNKNOWN',
      'HOP_KEY_IN_ADDRESS',
      'HOP_LOGIN_REQUIRED',
      'HOP_KEY_POWER',
      'HOP_ROLE',
      'HOP_STORE_UNAVAILABLE',
    )
  if (call.need !== 'nothing' && call.need !== 'shared' && !call.beforePassword) codes.push('HOP_PASSWORD_REQUIRED')
  if (call.need !== 'nothing' && changes) codes.push('HOP_CSRF')
  if (path.includes('{app}')) codes.push('HOP_APP_UNKNOWN')
  if (call.shared || call.need === 'shared') codes.push('HOP_SHARED_LINK', 'HOP_SHARED_VIEW')
  if (path.endsWith('/open'))
    codes.push('HOP_SHARED_LINK', 'HOP_SHARED_PASSWORD', 'HOP_FOREIGN_ORIGIN', 'HOP_STORE_UNAVAILABLE')
  if (path.endsWith('/audits') && changes) codes.push('HOP_APP_UNKNOWN', 'HOP_AUDIT_RUNNING', 'HOP_NOT_SUPPORTED')
  if (call.body || changes) codes.push('HOP_BODY_INVALID', 'HOP_BODY_TOO_LARGE', 'HOP_BODY_TYPE', 'HOP_RATE')
  if (!call.csv && !call.media && call.answer) codes.push('HOP_NOT_ACCEPTABLE')
  if (call.query && 'from' in call.query.properties) codes.push('HOP_RANGE_INVALID')
  if (call.progress || call.media || /\/(events|keys|persons|properties)/.test(path))
    codes.push('HOP_RANGE_INVALID', 'HOP_LIMIT', 'HOP_QUERY_TIMEOUT', 'HOP_QUERY_BUSY', 'HOP_NOT_FOUND')
  if (call.media?.includes('text/event-stream')) codes.push('HOP_EVENTS_GONE', 'HOP_SHARE', 'HOP_LOG_UNAVAILABLE')
  if (path.includes('{uuid}')) codes.push('HOP_QUERY_TIMEOUT', 'HOP_QUERY_BUSY', 'HOP_NOT_FOUND')
  const namesFunnel = [call.query, call.body].some((fields) => fields && 'funnel' in fields.properties)
  if (namesFunnel || /funnels|stages/.test(path)) codes.push('HOP_FUNNEL_UNKNOWN')
  if (path.includes('/alerts')) codes.push('HOP_FUNNEL_UNKNOWN')
  if (path.includes('{alert}')) codes.push('HOP_ALERT_UNKNOWN')
  if (path.includes('/elements')) codes.push('HOP_ELEMENT_UNKNOWN')
  if (path === '/mcp' || path === '/login') codes.push('HOP_FOREIGN_ORIGIN')
  if (path.startsWith('/login/oidc')) codes.push('HOP_NOT_FOUND', 'HOP_PROVIDER_UNAVAILABLE', 'HOP_STORE_UNAVAILABLE')
  if (path.endsWith('/tag')) codes.push('HOP_NOT_FOUND')
  if (path.includes('/dead-letters')) codes.push('HOP_LOG_UNAVAILABLE')
  if (/\/(shared-links|annotations)/.test(path)) codes.push('HOP_FUNNEL_UNKNOWN')
  if (/\{(member|key|session|forget|pick|link|annotation)\}/.test(path)) codes.push('HOP_NOT_FOUND')
  if (changes && call.need === 'admin') codes.push('HOP_CONFLICT', 'HOP_LIMIT', 'HOP_RATE')
  if (/login|\/me$/.test(path)) codes.push('HOP_LOGIN_FAILED', 'HOP_RATE')
  if (changes && /login$/.test(path)) codes.push('HOP_SECOND_FACTOR')
  if (changes && path.endsWith('/me/second-factor'))
    codes.push('HOP_SECOND_FACTOR', 'HOP_LOGIN_FAILED', 'HOP_CONFLICT', 'HOP_NOT_FOUND', 'HOP_RATE')
  return [...new Set(codes)]
}

/** Builds one response per status, which lists its codes. */
export function errorResponses(codes: readonly ErrorCode[]): Record<string, object> {
  const byStatus = Map.groupBy(codes, (code) => String(errorCatalogue[code].status))
  return Object.fromEntries([...byStatus].sort().map(([status, group]) => [status, responseOf(group)]))
}

function responseOf(codes: readonly ErrorCode[]): object {
  const isRetryable = codes.some((code) => errorCatalogue[code].retryable)
  const code = { properties: { error: { properties: { code: { enum: [...codes] } } } } }
  return {
    description: codes.map((each) => `\`${each}\`: ${errorCatalogue[each].hint}`).join('\n\n'),
    ...(isRetryable
      ? { headers: { 'Retry-After': { description: 'seconds to wait', schema: { type: 'integer' } } } }
      : {}),
    content: { 'application/json': { schema: { allOf: [{ $ref: '#/components/schemas/Error' }, code] } } },
  }
}

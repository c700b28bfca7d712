import { Delete, Get, HttpCode, Patch, Post, Put, SetMetadata, applyDecorators } from '@nestjs/common'
import { RouteConfig } from '@nestjs/platform-fastify'
import { ApiExtension, ApiOperation } from '@nestjs/swagger'
import type { AccessConfig, RouteAccess } from '@hopper/contracts'
import { Type, type TObject, type TSchema } from 'typebox'
import type { SharedRule } from '../sharing/shared-rule.ts'
import { tableOf, type Table } from './csv/csv.ts'

/** The access that a call needs: none, a login, a shared link, the read scope, or the admin scope. */
export type Need = 'nothing' | 'login' | 'shared' | 'read' | 'admin'

/** The declaration of one API call, used by the guard, the validation, CSV and OpenAPI. */
export interface Call {
  readonly summary: string
  readonly need: Need
  /** checks of the handler itself, beyond `need` */
  readonly access?: RouteAccess
  /** the questions of readers of a shared link that it answers; without a rule they are refused */
  readonly shared?: SharedRule
  /** details beyond the summary */
  readonly note?: string
  readonly query?: TObject
  readonly body?: TObject
  readonly answer?: TSchema
  /** media types of an answer that is not JSON */
  readonly media?: readonly string[]
  /** default: 201 for POST, 204 without an answer, else 200 */
  readonly status?: number
  /** another status of the call, which has no body, and its meaning */
  readonly empty?: { readonly status: number; readonly meaning: string }
  /** the CSV form of the answer: true for the columns of its schema, or a table of its own */
  readonly csv?: boolean | Table
  /**
   * for a call that answers for the app of the read key: what callers without an app of their own should use instead,
   * as the end of a sentence
   */
  readonly ofKey?: string
  /** true if a member who has yet to choose a password may make it */
  readonly beforePassword?: boolean
  /** true if the call can stream events: progress, then the answer */
  readonly progress?: boolean
  /** true if unknown parameters are ignored: probes and links in mails add their own */
  readonly lenient?: boolean
}

const CALL = Symbol('Call')
/** Key of the OpenAPI extension that links an operation to its call. */
export const CALL_NUMBER = 'x-hopper-call'
const numbered: Call[] = []
const methods = { GET: Get, POST: Post, PUT: Put, PATCH: Patch, DELETE: Delete }

/** Declares a method of a controller as a call. */
export function Endpoint(method: keyof typeof methods, path: string, call: Call): MethodDecorator {
  const status = call.status ?? (call.answer === undefined ? 204 : method === 'POST' ? 201 : 200)
  return applyDecorators(
    methods[method](path),
    HttpCode(status),
    RouteConfig(accessOf(call)),
    SetMetadata(CALL, call),
    ApiOperation({ summary: call.summary, description: descriptionOf(call) }),
    ApiExtension(CALL_NUMBER, numbered.push(call) - 1),
  )
}

function accessOf({ access, need, shared }: Call): AccessConfig {
  return { access: access ?? need, ...(shared ? { sharedPages: shared.pages } : {}) }
}

/**
 * @throws TypeError for a handler that was not declared with `Endpoint`, so that it is refused, not open
 */
export function callOf(handler: object): Call {
  const call = Reflect.getMetadata(CALL, handler) as Call | undefined
  if (!call) throw new TypeError('a handler without Endpoint')
  return call
}

/** @throws TypeError for an operation that was not declared with `Endpoint` */
export function numberedCall(number: number | undefined): Call {
  const call = number === undefined ? undefined : numbered[number]
  if (!call) throw new TypeError('an operation without Endpoint')
  return call
}

/** Parameters of the CSV format, accepted by every call that answers CSV. */
export const styleParameters = {
  bom: Type.Optional(
    Type.Enum(['0', '1'], { description: 'for CSV: 1 adds a byte-order mark, which identifies UTF-8' }),
  ),
  decimal: Type.Optional(
    Type.Enum(['point', 'comma'], { description: 'for CSV: comma writes 0,5 and separates cells with semicolons' }),
  ),
}

/** Returns all parameters of a call. */
export function parametersOf(call: Call): TObject | undefined {
  return call.csv ? Type.Object({ ...call.query?.properties, ...styleParameters }) : call.query
}

/** Returns the table of a call that can answer CSV. */
export function tableOfCall({ csv, answer }: Call): Table | undefined {
  if (!csv || !answer) return undefined
  return csv === true ? tableOf(answer) : csv
}

const PROGRESS_TEXT =
  'With "Accept: text/event-stream" a long query reports its progress: events `progress` with { done, total } in ' +
  'rows, then one `answer` with the answer, or one `error`. ' +
  'Closing the connection ends the query.'

const needTexts: Record<Need, string> = {
  nothing: 'Needs no key.',
  login: 'Needs a logged-in member.',
  shared: 'Needs a shared link that was opened.',
  read: 'Needs a read key of the app, an admin key, or a logged-in member.',
  admin: 'Needs an admin key, or a member who is owner or admin.',
}

const SHARED_TEXT = 'Readers of a shared link get the answers of their view.'

function descriptionOf({ need, ofKey, note, progress, shared }: Call): string {
  const access = ofKey === undefined ? needTexts[need] : 'Needs a read key; answers for its app.'
  return [access, shared ? SHARED_TEXT : undefined, note, progress ? PROGRESS_TEXT : undefined]
    .filter(Boolean)
    .join(' ')
}

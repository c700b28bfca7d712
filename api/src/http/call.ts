import { Delete, Get, HttpCode, Patch, Post, SetMetadata, applyDecorators } from '@nestjs/common'
import { ApiExtension, ApiOperation } from '@nestjs/swagger'
import { Type, type TObject, type TSchema } from 'typebox'
import { tableOf, type Table } from './csv/csv.ts'

/** What a caller must have: nothing, a login, the power to read, or the power to administrate. */
export type Need = 'nothing' | 'login' | 'read' | 'administrate'

/** All that is said about one call of the API; the guard, the checks, CSV and OpenAPI read it from here. */
export interface Call {
  readonly summary: string
  readonly need: Need
  /** what the summary has no room for */
  readonly note?: string
  readonly query?: TObject
  readonly body?: TObject
  readonly answer?: TSchema
  /** the media types of an answer that is no JSON */
  readonly media?: readonly string[]
  /** default: 201 for POST, 204 without an answer, else 200 */
  readonly status?: number
  /** whether the rows of the answer can be had as CSV: as its schema tells them, or as a table of its own */
  readonly csv?: boolean | Table
  /** whether the answer takes long enough to be had as a stream of events: progress, then the answer */
  readonly progress?: boolean
  /** whether parameters that the call does not know pass: probes and links of mails carry their own */
  readonly lenient?: boolean
}

const CALL = Symbol('Call')
/** Where the description of an operation says which call it is. */
export const CALL_NUMBER = 'x-hopper-call'
const numbered: Call[] = []
const methods = { GET: Get, POST: Post, PATCH: Patch, DELETE: Delete }

/** Declares a method of a controller as a call. */
export function Endpoint(method: keyof typeof methods, path: string, call: Call): MethodDecorator {
  const status = call.status ?? (call.answer === undefined ? 204 : method === 'POST' ? 201 : 200)
  return applyDecorators(
    methods[method](path),
    HttpCode(status),
    SetMetadata(CALL, call),
    ApiOperation({ summary: call.summary, description: descriptionOf(call) }),
    ApiExtension(CALL_NUMBER, numbered.push(call) - 1),
  )
}

/** @throws TypeError for a handler that was not declared with `Calls`, so that a forgotten one is closed, not open */
export function callOf(handler: object): Call {
  const call = Reflect.getMetadata(CALL, handler) as Call | undefined
  if (!call) throw new TypeError('a handler without Calls')
  return call
}

/** @throws TypeError for an operation that was not declared with `Calls` */
export function numberedCall(number: number | undefined): Call {
  const call = number === undefined ? undefined : numbered[number]
  if (!call) throw new TypeError('an operation without Calls')
  return call
}

/** How a table is written: parameters of every call that answers CSV. */
export const styleParameters = {
  bom: Type.Optional(
    Type.Enum(['0', '1'], { description: 'of CSV: 1 begins with the byte-order mark, by which UTF-8 is known' }),
  ),
  decimal: Type.Optional(
    Type.Enum(['point', 'comma'], { description: 'of CSV: comma writes 0,5 and separates cells by semicolons' }),
  ),
}

/** All parameters that a call takes. */
export function parametersOf(call: Call): TObject | undefined {
  return call.csv ? Type.Object({ ...call.query?.properties, ...styleParameters }) : call.query
}

/** The table of a call that can answer CSV. */
export function tableOfCall({ csv, answer }: Call): Table | undefined {
  if (!csv || !answer) return undefined
  return csv === true ? tableOf(answer) : csv
}

const PROGRESS_TEXT =
  'With "Accept: text/event-stream" a long one tells how far it is: events `progress` with { done, total } in rows, ' +
  'at last one `answer` with the answer, or one `error`. ' +
  'Whoever closes the connection ends the query.'

const needTexts: Record<Need, string> = {
  nothing: 'Needs no key.',
  login: 'Needs a logged-in member.',
  read: 'Needs a read key of the app, an admin key, or a logged-in member.',
  administrate: 'Needs an admin key, or a member who is owner or admin.',
}

function descriptionOf({ need, note, progress }: Call): string {
  return [needTexts[need], note, progress ? PROGRESS_TEXT : undefined].filter(Boolean).join(' ')
}

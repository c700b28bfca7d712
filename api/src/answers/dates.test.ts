import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { examples } from '../openapi/examples.ts'
import { keys, openInstallation, type Installation } from '../testing/installation.fixture.ts'

interface Call {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly fields: readonly string[]
  readonly example?: Readonly<Record<string, unknown>>
}
interface Parameter {
  readonly in: string
  readonly name: string
  readonly required?: boolean
  readonly schema: { readonly enum?: readonly string[]; readonly anyOf?: readonly { readonly const?: string }[] }
}
interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Record<string, { readonly schema: { readonly $ref?: string } }> }
}

const app = '/api/v1/apps/shop'
const bearer = { authorization: `Bearer ${keys.admin}` }
/** Both ends of a range, and the dates beside them. */
const [FIRST, LAST] = ['1970-01-01', '9998-12-31']
const OUTSIDE = ['1969-12-31', '0000-01-01', '9999-01-01', '9999-12-31', '2026-02-30']
/** Answers that last as long as somebody listens. */
const streams = new Set(['/changes', '/live', '/export'])

let hopper: Installation
let calls: Call[]
beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  const { paths } = (await hopper.get('/openapi.json', {})).body as { paths: Record<string, Record<string, Operation>> }
  calls = Object.entries(paths).flatMap(([path, item]) => [
    ...rangeCalls(path, item['get']?.parameters ?? []),
    ...(item['post'] ? bodyCalls(path, item['post']) : []),
  ])
  await hopper.send('POST', `${app}/funnels`, examples['SentFunnel'], bearer)
})
afterAll(() => hopper.close())

function rangeCalls(path: string, parameters: readonly Parameter[]): Call[] {
  if (!parameters.some(({ name }) => name === 'from')) return []
  const needed = parameters.filter(({ in: place, required }) => place === 'query' && required)
  const valueOf = ({ schema }: Parameter): string => schema.enum?.[0] ?? schema.anyOf?.[0]?.const ?? '//a'
  // without a prefix, this path lists the keys of the app
  const prefix = path.endsWith('/keys') ? { prefix: 'a' } : {}
  const more = { ...prefix, ...Object.fromEntries(needed.map((parameter) => [parameter.name, valueOf(parameter)])) }
  return [{ method: 'GET', path, fields: ['from', 'to'], example: more }]
}

function bodyCalls(path: string, { requestBody }: Operation): Call[] {
  const name = requestBody?.content['application/json']?.schema.$ref?.split('/').at(-1) ?? ''
  const example = examples[name] as Call['example']
  const fields = [
    ['from', 'to'],
    ['start', 'end'],
  ].find(([first]) => example && first! in example)
  // a note is no range, and the body of an audit begins one
  return example && fields && !/audits|shared/.test(path) ? [{ method: 'POST', path, fields, example }] : []
}

async function ask({ method, path, fields, example }: Call, from: string, to: string): Promise<[number, string]> {
  const [first, last] = fields as [string, string]
  const url = path.replace('{app}', 'shop').replace(/\{\w+\}/, 'x')
  // calls at the root are for the read key of an app
  const headers = path.startsWith('/api') ? bearer : { authorization: `Bearer ${keys.read}` }
  const sent = { ...example, [first]: from, [last]: to }
  const { status, text } =
    method === 'GET'
      ? await hopper.get(`${url}?${new URLSearchParams(sent as Record<string, string>).toString()}`, headers)
      : await hopper.send('POST', url, sent, headers)
  return [status, text]
}

test('the calls that take dates are found', () => {
  expect(calls.length).toBeGreaterThan(20)
})

test('every call takes the first and the last date', async () => {
  for (const call of calls) {
    if (streams.has(call.path.replace('/api/v1/apps/{app}', ''))) continue
    for (const date of [FIRST, LAST]) {
      const [status, text] = await ask(call, date, date)
      // an example names things that are not there
      expect([call.path, date, status, text.slice(0, 300)]).toEqual([
        call.path,
        date,
        expect.toBeOneOf([200, 201, 404]),
        expect.any(String),
      ])
      expect(text).not.toContain('HOP_RANGE_INVALID')
    }
  }
})

test('every call refuses other dates, and says which it takes', async () => {
  for (const call of calls)
    for (const date of OUTSIDE)
      for (const [from, to] of [
        [date, '2026-01-31'],
        ['2026-01-01', date],
      ] as const) {
        const [status, text] = await ask(call, from, to)
        expect([call.path, from, to, status, text]).toEqual([
          call.path,
          from,
          to,
          400,
          expect.stringContaining(`a date from ${FIRST} to ${LAST}`),
        ])
      }
})

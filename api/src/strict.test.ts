import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { provision } from './index.ts'
import { keys, openInstallation, type Installation } from './testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000 })

let hopper: Installation
const app = '/api/v1/apps/shop'
const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` })
const DATE = '2026-03-28'
const range = { from: DATE, to: DATE }
const tag = (value: string): object => ({ type: 'eq', key: 'event_tag', value })
const steps = [
  { name: 'view', filters: [tag('view')] },
  { name: 'cart', filters: [tag('cart'), tag('b')] },
]
const funnel = { ...range, steps }
const query = { start: DATE, end: DATE, data: [{ name: 'views', filters: [tag('view')] }] }

interface Fault {
  field: string
  message: string
}
interface Refused {
  status: number
  code: string
  message: string
  fields: Fault[]
}

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded, { operationRoutes: true })
})
afterAll(() => hopper.close())

async function errorOf(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  url: string,
  body?: unknown,
  key: string = keys.admin,
): Promise<Refused> {
  const { status, body: answer } = await hopper.send(method, url, body, bearer(key))
  const { code, message, details } = (
    answer as { error: { code: string; message: string; details: { fields: Fault[] } } }
  ).error
  return { status, code, message, fields: details?.fields }
}

const postQuery = (path: string, body: object): Promise<Refused> => errorOf('POST', `${app}/${path}`, body, keys.read)

test('unknown fields of queries are refused by name at every depth, with the field that was meant', async () => {
  const cases: [string, object, string, string | undefined][] = [
    ['funnels/query', { ...funnel, windowMs: 60_000 }, 'windowMs', 'window_ms'],
    ['funnels/query', { ...funnel, window: 60_000 }, 'window', 'window_ms'],
    ['funnels/query', { ...funnel, filter: [] }, 'filter', 'filters'],
    ['funnels/query', { ...funnel, countBy: 'device' }, 'countBy', 'count_by'],
    ['funnels/query', { ...funnel, cuont_by: 'device' }, 'cuont_by', 'count_by'],
    ['funnels/query', { ...funnel, nonsense: 1 }, 'nonsense', undefined],
    ['funnels/query', { ...funnel, steps: [{ ...steps[0], filter: [] }] }, 'steps[0].filter', 'filters'],
    [
      'funnels/query',
      { ...funnel, steps: [steps[0], { name: 'x', filters: [{ ...tag('x'), vaule: 1 }] }] },
      'steps[1].filters[0].vaule',
      'value',
    ],
    [
      'funnels/query',
      { ...funnel, filters: [{ type: 'not', filter: { type: 'or', filters: [{ ...tag('x'), keys: 1 }] } }] },
      'filters[0].filter.filters[0].keys',
      'key',
    ],
    [
      'funnels/query',
      { ...funnel, exclude: [{ filters: [], after: 1, before: 2, steps: 1 }] },
      'exclude[0].steps',
      undefined,
    ],
    [
      'funnels/query',
      { ...funnel, people: { step: 1, outcome: 'reached', limit: 1, Limit: 2 } },
      'people.Limit',
      'limit',
    ],
    ['query', { ...query, funel: {} }, 'funel', 'funnel'],
    ['query', { ...query, data: [{ ...query.data[0], filter: [] }] }, 'data[0].filter', 'filters'],
    ['query', { ...query, funnel: { type: 'exact_order', orders: ['views'] } }, 'funnel.orders', 'order'],
    ['retention/query', { ...range, first: [], again: [], by: 'day', 'count-by': 'device' }, 'count-by', 'count_by'],
    [
      'retention/query',
      { ...range, first: [], again: [], by: 'day', 'count by': 'device' },
      '["count by"]',
      'count_by',
    ],
  ]
  for (const [path, body, field, meant] of cases) {
    const answer = await postQuery(path, body)
    expect([answer.status, answer.code, answer.fields[0]?.field]).toEqual([400, 'HOP_PARAM_INVALID', field])
    expect(answer.fields[0]!.message).toContain(meant === undefined ? 'is unknown here' : `did you mean ${meant}?`)
    expect(answer.message).toContain(answer.fields[0]!.field)
  }
  expect(await errorOf('POST', '/query', { ...query, ends: 1 }, keys.read)).toMatchObject({
    status: 400,
    fields: [{ field: 'ends' }],
  })
})

test('unknown fields of administration are refused by name, and so are changes to fixed fields', async () => {
  const stage = { id: 1, name: 'home', url: '/' }
  const cases: ['POST' | 'PATCH' | 'DELETE', string, unknown, string, string][] = [
    ['PATCH', app, { timezone: 'UTC' }, 'timezone', 'cannot be changed: the daily numbers of this app are'],
    ['PATCH', app, { id: 'other' }, 'id', 'cannot be changed'],
    ['PATCH', app, { nmae: 'x' }, 'nmae', 'did you mean name?'],
    ['POST', '/api/v1/apps', { id: 'x', name: 'x', time_zone: 'UTC' }, 'time_zone', 'did you mean timezone?'],
    [
      'POST',
      `${app}/funnels`,
      { id: 'f', name: 'f', stages: [{ ...stage, selector: '#a' }] },
      'stages[0].selector',
      'known: id, name, url, click',
    ],
    ['PATCH', `${app}/funnels/checkout`, { stage: [] }, 'stage', 'did you mean stages?'],
    ['POST', `${app}/elements`, { name: 'x', xpath: '//a', xPath: '//b' }, 'xPath', 'did you mean xpath?'],
    ['PATCH', `${app}/elements?xpath=//b`, { label: 'x' }, 'label', 'known: name, xpath'],
    ['POST', `${app}/keys`, { power: 'read', label: 'mine' }, 'label', 'known: power, name'],
    ['POST', '/api/v1/members', { id: 'a', name: 'a', role: 'viewer', phone: 'a' }, 'phone', 'is unknown'],
    [
      'POST',
      '/api/v1/members',
      { id: 'a', name: 'a', role: 'viewer', email: 'a' },
      'email',
      'must be: an e-mail address',
    ],
    ['POST', '/api/v1/login', { member: 'owner', password: 'x', remember: true }, 'remember', 'did you mean member?'],
    ['DELETE', `${app}/funnels/checkout`, { force: true }, 'force', 'none is expected'],
    ['DELETE', `${app}/funnels/checkout?force=1`, undefined, 'force', 'none is expected'],
    ['POST', `${app}/keys?dry_run=1`, { power: 'read' }, 'dry_run', 'is unknown'],
  ]
  for (const [method, url, body, field, message] of cases) {
    const answer = await errorOf(method, url, body)
    expect([url, answer.status, answer.fields[0]]).toMatchObject([
      url,
      400,
      { field, message: expect.stringContaining(message) },
    ])
  }
  expect((await hopper.get(app)).body).toMatchObject({ timezone: 'Europe/Berlin', name: 'Shop' })
})

test('every GET of the API refuses unknown parameters, even if it takes none', async () => {
  const { paths } = (await hopper.get('/openapi.json', {})).body as {
    paths: Record<string, Record<string, { parameters: { name: string; in: string }[] }>>
  }
  const calls = Object.entries(paths).filter(([path, item]) => item['get'] && path.startsWith('/api/v1'))
  expect(calls.length).toBeGreaterThan(20)
  for (const [path, item] of calls) {
    // calls of a logged-in member or a reader of a shared link only: a key is refused before anything else
    if (path === '/api/v1/me' || path.startsWith('/api/v1/me/') || path === '/api/v1/shared-view') continue
    const url = path
      .replace('{app}', 'shop')
      .replace('{funnel}', 'checkout')
      .replace('{key}', 'a')
      .replace('{event}', 'a')
      .replace('{person}', 'a')
    const known = item['get']!.parameters.filter((parameter) => parameter.in === 'query')
    const answer = await errorOf('GET', `${url}?nosuch_parameter=1`)
    expect([path, answer.status, answer.fields[0]!.field]).toEqual([path, 400, 'nosuch_parameter'])
    for (const { name } of known)
      expect([path, name, (await errorOf('GET', `${url}?${name}=1&${name}=2`)).status]).toEqual([path, name, 400])
  }
  for (const probe of ['/healthcheck?x=1', '/ready?x=1', '/metrics?x=1'])
    expect((await hopper.get(probe, {})).status).toBe(200)
})

test('a secret key is refused in the address, even if the call has a parameter of that name', async () => {
  for (const call of ['traffic', 'journeys'])
    expect((await hopper.get(`${app}/${call}?key=${keys.read}`, {})).body).toMatchObject({
      error: { code: 'HOP_KEY_IN_ADDRESS' },
    })
  expect((await hopper.get(`${app}/traffic?key=${keys.write}`, {})).body).toMatchObject({
    error: { code: 'HOP_KEY_POWER' },
  })
  expect((await hopper.get(`${app}/journeys?key=page`)).status).toBe(200)
  expect((await hopper.get(`${app}/journeys?key=page`, {})).body).toMatchObject({
    error: { code: 'HOP_LOGIN_REQUIRED' },
  })
  expect((await hopper.get(`${app}/traffic?key=page`, {})).body).toMatchObject({ error: { code: 'HOP_KEY_UNKNOWN' } })
})

test('numbers in parameters have exact bounds', async () => {
  const bad = [
    '0',
    '-1',
    '1.5',
    '1e2',
    '1001',
    '5000',
    '99999999999999999999',
    'NaN',
    'Infinity',
    '',
    ' 1',
    '0x10',
    '01',
    'ten',
    '%00',
    '1%20',
  ]
  const places: [string, string, number, number][] = [
    [`${app}/events`, 'limit', 1, 1_000],
    [`${app}/persons/u:ann`, 'limit', 1, 1_000],
    [`${app}/keys/a/values`, 'limit', 1, 1_000],
    [`${app}/keys?prefix=`, 'limit', 1, 1_000],
    [`${app}/journeys`, 'depth', 2, 20],
  ]
  for (const [url, name, least, most] of places) {
    const at = (value: string): string => `${url}${url.includes('?') ? '&' : '?'}${name}=${value}`
    for (const value of bad) {
      const answer = await errorOf('GET', at(value), undefined, keys.read)
      expect([at(value), answer.status, answer.fields]).toEqual([
        at(value),
        400,
        [{ field: name, message: expect.stringContaining(`must be an integer from ${least} to ${most}`) }],
      ])
    }
    for (const value of [least, most])
      expect([at(String(value)), (await hopper.get(at(String(value)))).status]).not.toContain(400)
    expect(await errorOf('GET', `${at('2')}&${name}=3`, undefined, keys.read)).toMatchObject({
      status: 400,
      fields: [{ field: name, message: 'is given more than once' }],
    })
    expect(await errorOf('GET', at('2').replace(`${name}=`, `${name}[]=`), undefined, keys.read)).toMatchObject({
      status: 400,
    })
  }
  for (const start of ['-1', '1.5', 'c1', 'cx.y.z', 'c0.!', '', '9'.repeat(20), 'c0.0.0', `c${'z'.repeat(20)}.0`]) {
    const answer = await errorOf('GET', `${app}/events?start=${start}`, undefined, keys.read)
    expect([start, answer.status, answer.fields[0]!.field]).toEqual([start, 400, 'start'])
  }
  for (const date of [
    '',
    '2026-02-30',
    '20260101',
    '2026-1-1',
    'today',
    '0',
    '9999-01-01',
    '2026-01-01T00:00:00Z',
    '%27',
  ]) {
    for (const name of ['from', 'to']) {
      const answer = await errorOf('GET', `${app}/traffic?${name}=${date}`, undefined, keys.read)
      expect([name, date, answer.status, answer.code, answer.fields[0]!.field]).toEqual([
        name,
        date,
        400,
        'HOP_RANGE_INVALID',
        name,
      ])
    }
  }
})

test('numbers in a body have exact bounds', async () => {
  const huge = await hopper.app.inject({
    method: 'POST',
    url: `${app}/funnels/query`,
    headers: { ...bearer(keys.read), 'content-type': 'application/json' },
    payload: JSON.stringify({ ...funnel, window_ms: 0 }).replace('"window_ms":0', '"window_ms":1e999'),
  })
  expect([huge.statusCode, huge.json()]).toMatchObject([
    400,
    { error: { details: { fields: [{ field: 'window_ms' }] } } },
  ])
  const wrong: [object, string, string][] = [
    [{ window_ms: 0 }, 'window_ms', 'must be an integer from 1 to'],
    [{ window_ms: 1.5 }, 'window_ms', 'must be an integer from 1 to'],
    [{ window_ms: '7' }, 'window_ms', 'must be an integer'],
    [{ window_ms: null }, 'window_ms', 'must be an integer'],
    [{ people: { step: 0, outcome: 'reached', limit: 1 } }, 'people.step', 'from 1 to 100'],
    [{ people: { step: 3, outcome: 'reached', limit: 1 } }, 'people.step', 'must be one of the steps'],
    [{ people: { step: 1, outcome: 'reached', limit: 0 } }, 'people.limit', 'from 1 to 100000'],
    [{ exclude: [{ filters: [], after: 2, before: 1 }] }, 'exclude[0]', 'must come after a step'],
    [{ steps: [] }, 'steps', 'must not be empty'],
    [{ from: 1.5 }, 'from', 'must be an integer or a string'],
    [{ from: true }, 'from', 'must be an integer or a string'],
    [{ match: [''] }, 'match[0]', 'must not be empty'],
    [{ breakdown: 'x'.repeat(300) }, 'breakdown', 'must have at most 200 characters; it has 300'],
  ]
  for (const [fields, field, message] of wrong) {
    const answer = await postQuery('funnels/query', { ...funnel, ...fields })
    expect([answer.status, answer.fields]).toEqual([400, [{ field, message: expect.stringContaining(message) }]])
  }
  for (const from of [-5, 1e18, 'yesterday', '2026-03-28T10:00', '', '2026-13-01', '2026-03-29']) {
    expect(await postQuery('funnels/query', { ...funnel, from })).toMatchObject({
      status: 400,
      code: 'HOP_RANGE_INVALID',
      fields: [{ field: 'from' }],
    })
  }
  expect(await postQuery('query', { ...query, end: 'x' })).toMatchObject({
    code: 'HOP_RANGE_INVALID',
    fields: [{ field: 'end' }],
  })
})

test('an invalid choice yields one message with the path and the allowed values', async () => {
  const kinds = 'eq, ne, in, all, contains, regex, gt, lt, not, or'
  const cases: [string, object, string, string][] = [
    ['funnels/query', { ...funnel, order: 'loose' }, 'order', 'must be one of ordered, strict, any, not "loose"'],
    [
      'funnels/query',
      { ...funnel, steps: [{ name: 'a', filters: [tag('a'), { type: 'like', key: 'a', value: 'b' }] }] },
      'steps[0].filters[1].type',
      `must be one of ${kinds}, not "like"`,
    ],
    [
      'funnels/query',
      { ...funnel, steps: [{ name: 'a', filters: [{ key: 'a', value: 'b' }] }] },
      'steps[0].filters[0].type',
      `is required: one of ${kinds}`,
    ],
    ['funnels/query', { ...funnel, filters: ['a'] }, 'filters[0]', `must be an object with "type": one of ${kinds}`],
    [
      'funnels/query',
      { ...funnel, filters: [{ type: 'eq', key: 'a', value: {} }] },
      'filters[0].value',
      'must be a string, a number or a boolean',
    ],
    ['funnels/query', { ...funnel, filters: [{ type: 'eq', key: 'a' }] }, 'filters[0].value', 'is required'],
    [
      'funnels/query',
      { ...funnel, filters: [{ type: 'regex', key: 'a', value: '(' }] },
      'filters[0].value',
      'is not a valid RE2 regular expression',
    ],
    [
      'funnels/query',
      {
        ...funnel,
        filters: [{ type: 'not', filter: { type: 'or', filters: [{ type: 'in', key: 'a', values: [] }] } }],
      },
      'filters[0].filter.filters[0].values',
      'must not be empty',
    ],
    ['query', { ...query, funnel: { type: 'any_order' } }, 'funnel.type', 'must be "exact_order", not "any_order"'],
    [
      'query',
      { ...query, funnel: { type: 'exact_order', order: ['nobody'] } },
      'funnel.order[0]',
      'must name one of the sets',
    ],
  ]
  for (const [path, body, field, message] of cases) {
    const answer = await postQuery(path, body)
    expect([answer.status, answer.fields]).toEqual([400, [{ field, message: expect.stringContaining(message) }]])
    expect(answer.message).toBe(`${field} ${answer.fields[0]!.message}.`)
  }
  expect(await errorOf('GET', `${app}/agents?by=screen`, undefined, keys.read)).toMatchObject({
    fields: [{ field: 'by', message: 'must be one of device, browser, os, country, not "screen"' }],
  })
  expect(await errorOf('GET', `${app}/agents`, undefined, keys.read)).toMatchObject({
    fields: [{ field: 'by', message: 'is required: one of device, browser, os, country' }],
  })
  expect(await errorOf('POST', `${app}/keys`, { power: 'root' })).toMatchObject({
    fields: [{ field: 'power', message: 'must be one of write, read, admin, not "root"' }],
  })
  expect(await errorOf('POST', `${app}/keys`, [])).toMatchObject({ message: 'The body must be an object.' })
  expect((await postQuery('funnels/query', { from: 1, a1: 1, b1: 1, c1: 1, d1: 1 })).message).toMatch(
    /more, see details\)\.$/,
  )
})

test('a DELETE and any call without a body may have a content type', async () => {
  const remove = async (headers: Record<string, string>, payload?: string): Promise<number> => {
    await hopper.send(
      'POST',
      `${app}/funnels`,
      { id: 'gone', name: 'Gone', stages: [{ name: 'a', url: '/' }] },
      bearer(keys.admin),
    )
    const answer = await hopper.app.inject({
      method: 'DELETE',
      url: `${app}/funnels/gone`,
      headers: { ...bearer(keys.admin), ...headers },
      ...(payload === undefined ? {} : { payload }),
    })
    return answer.statusCode
  }
  expect(await remove({ 'content-type': 'application/json' })).toBe(204)
  expect(await remove({ 'content-type': 'application/json; charset=utf-8', 'content-length': '0' }, '')).toBe(204)
  expect(await remove({ 'content-type': 'application/x-www-form-urlencoded' })).toBe(204)
  expect(await remove({ 'content-type': 'application/json' }, '{}')).toBe(204)
  expect(await remove({ 'content-type': 'text/plain' }, 'x')).toBe(415)
  const empty = await hopper.app.inject({
    method: 'POST',
    url: `${app}/keys`,
    headers: { ...bearer(keys.admin), 'content-type': 'application/json' },
  })
  expect([empty.statusCode, empty.json()]).toMatchObject([
    400,
    { error: { code: 'HOP_PARAM_INVALID', message: 'The body must be an object.' } },
  ])
})

test('each error has one message', async () => {
  const answers = [
    await errorOf('GET', `${app}/events/nosuch?from=${DATE}&to=${DATE}`),
    await errorOf('GET', `${app}/persons/u:nosuch`),
    await errorOf('DELETE', `${app}/keys/nosuch`),
    await errorOf('PATCH', '/api/v1/members/nosuch', {}),
    await errorOf('GET', '/api/v1/me'),
    await errorOf('POST', '/query', query),
  ]
  expect(
    answers.map(({ status, message }) => [
      status,
      /No such path|Correct the parameters|Log in, or|exists already/.test(message),
    ]),
  ).toEqual([404, 404, 404, 404, 401, 400].map((status) => [status, false]))
  expect((await errorOf('GET', '/api/v1/nothing')).message).toBe('No such path; GET /docs lists the calls.')
})

test('a provision file with an unknown or wrong field is refused by its path', async () => {
  const file = (app: object): never =>
    ({ organizations: [{ id: 'acme', name: 'Acme', apps: [{ id: 'shop', name: 'Shop', ...app }] }] }) as never
  const wrong: [object, string][] = [
    [{ time_zone: 'UTC' }, 'organizations[0].apps[0].time_zone is unknown here; did you mean timezone?'],
    [{ funnels: [{ id: 'f', name: 'f', stages: [] }] }, 'organizations[0].apps[0].funnels[0].stages must not be empty'],
    [
      {
        funnels: [
          {
            id: 'f',
            name: 'f',
            stages: [
              { id: 1, name: 'a', url: '/' },
              { id: 2, name: 'b', click: 'a[' },
            ],
          },
        ],
      },
      'app "shop", funnel "f": stages[1].click is not a CSS selector',
    ],
    [
      { funnels: [{ id: 'f', name: 'f', stages: [{ id: 1, name: 'a' }] }] },
      'app "shop", funnel "f": stages[0] must have a url or a click',
    ],
    [{ elements: [{ name: 'a', xpath: '//a[' }] }, 'app "shop", element "a": xpath is not an XPath of elements'],
    [{ write_key: 'hw_short' }, 'organizations[0].apps[0].write_key must match'],
  ]
  for (const [app, message] of wrong)
    await expect(provision(hopper.storage.registry, file(app))).rejects.toMatchObject({
      code: 'HOP_CONFIG',
      message: expect.stringContaining(message),
    })
})

test('stages and elements that no browser can find are refused by field', async () => {
  const create = (...stages: object[]): Promise<Refused> =>
    errorOf('POST', `${app}/funnels`, { id: 'fresh', name: 'Fresh', stages })
  const home = { id: 1, name: 'home', url: '/' }
  const cases: [object, string, string][] = [
    [{ id: 2, name: 'b' }, 'stages[1]', 'must have a url or a click'],
    [{ id: 2, name: 'b', click: 'a[' }, 'stages[1].click', 'is not a CSS selector'],
    [{ id: 2, name: 'b', click: "//*[@id='buy']" }, 'stages[1].click', 'is not a CSS selector'],
    [{ id: 2, name: 'b', url: '/b', click: ':visible' }, 'stages[1].click', 'no browser supports :visible'],
    [{ id: 1, name: 'b', url: '/b' }, 'stages[1].id', 'that of an earlier stage'],
    [{ id: 2, name: 'b', click: '' }, 'stages[1].click', 'must not be empty'],
  ]
  for (const [stage, field, message] of cases) {
    expect(await create(home, stage)).toMatchObject({
      status: 400,
      code: 'HOP_PARAM_INVALID',
      fields: [{ field, message: expect.stringContaining(message) }],
    })
    expect(await errorOf('PATCH', `${app}/funnels/checkout`, { stages: [home, stage] })).toMatchObject({
      status: 400,
      fields: [{ field }],
    })
  }
  for (const xpath of ['//a[', '#add', "//*[@id='it's']", '//a/@href', '1']) {
    const wrong = {
      status: 400,
      code: 'HOP_PARAM_INVALID',
      fields: [{ field: 'xpath', message: expect.stringContaining('is not an XPath of elements') }],
    }
    expect(await errorOf('POST', `${app}/elements`, { name: 'x', xpath })).toMatchObject(wrong)
    expect(await errorOf('PATCH', `${app}/elements?xpath=//b`, { xpath })).toMatchObject(wrong)
    for (const report of ['actions', 'durations'])
      expect(await errorOf('GET', `${app}/elements/${report}?xpath=${encodeURIComponent(xpath)}`)).toMatchObject(wrong)
  }
  expect(await errorOf('GET', `${app}/elements/actions?xpath=//nosuch`)).toMatchObject({
    status: 404,
    code: 'HOP_ELEMENT_UNKNOWN',
  })
  expect(
    (
      await hopper.send(
        'POST',
        `${app}/funnels`,
        { id: 'fresh', name: 'Fresh', stages: [home, { id: 2, name: 'b', click: '#buy, [data-buy]' }] },
        bearer(keys.admin),
      )
    ).status,
  ).toBe(201)
  expect(
    (await hopper.send('POST', `${app}/elements`, { name: 'x', xpath: "//*[@id='x']" }, bearer(keys.admin))).status,
  ).toBe(201)
})

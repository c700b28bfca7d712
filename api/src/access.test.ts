import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { openEmbedded } from '@hopper/storage/embedded'
import { createLoginLink, ensureOwner } from './index.ts'
import { apiOver, keys, openInstallation, type Installation } from './testing/installation.fixture.ts'

// password hashing is slow on purpose
vi.setConfig({ testTimeout: 60_000 })

let hopper: Installation
let owner: Record<string, string>

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
})
afterAll(() => hopper.close())
beforeEach(async () => {
  await ensureOwner(hopper.storage.registry, 'acme')
  owner = await follow(await linkOf('owner'))
})

const linkOf = (member: string, organization = 'acme'): Promise<string> =>
  createLoginLink({
    registry: hopper.storage.registry,
    organization,
    member,
    publicUrl: 'http://127.0.0.1:8080',
    now: hopper.clock,
  })

/** Follows a login link like a browser; returns the headers of a logged-in call. */
async function follow(link: string): Promise<Record<string, string>> {
  const { pathname, search, searchParams } = new URL(link)
  expect(await hopper.get(pathname + search, {})).toMatchObject({ status: 200, text: expect.stringContaining('<form') })
  const { status, headers } = await hopper.send('POST', '/login', { token: searchParams.get('token') })
  expect(status).toBe(303)
  expect(headers['location']).toBe('/')
  return headersOf(headers)
}

function headersOf(headers: Record<string, unknown>): Record<string, string> {
  const cookies = (headers['set-cookie'] as string[]).map((cookie) => cookie.split(';')[0]!)
  return {
    cookie: cookies.join('; '),
    'x-hopper-csrf': cookies.find((cookie) => cookie.startsWith('hopper_csrf='))!.slice(12),
  }
}

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` })
const code = (answer: { body: unknown }): string | undefined =>
  (answer.body as { error?: { code: string } } | undefined)?.error?.code

test('each key can do what its scope allows, in its app and organization', async () => {
  const report = '/api/v1/apps/shop/traffic'
  const administration = '/api/v1/apps/shop/keys'
  const matrix: [string, Record<string, string>, number, string | undefined][] = [
    [report, {}, 401, 'HOP_LOGIN_REQUIRED'],
    [report, bearer('hr_nobody-knows-this-key'), 401, 'HOP_KEY_UNKNOWN'],
    [report, bearer(keys.read), 200, undefined],
    [report, { 'x-api-key': keys.read }, 200, undefined],
    [`${report}?key=${keys.read}`, {}, 401, 'HOP_KEY_IN_ADDRESS'],
    [report, bearer(keys.write), 403, 'HOP_KEY_POWER'],
    [report, bearer(keys.blogRead), 403, 'HOP_KEY_POWER'],
    [report, bearer(keys.admin), 200, undefined],
    [report, bearer(keys.otherAdmin), 404, 'HOP_APP_UNKNOWN'],
    [report, owner, 200, undefined],
    ['/api/v1/apps/nowhere/traffic', bearer(keys.read), 403, 'HOP_KEY_POWER'],
    ['/api/v1/apps/foreign/traffic', bearer(keys.read), 403, 'HOP_KEY_POWER'],
    ['/api/v1/apps/foreign/traffic', owner, 404, 'HOP_APP_UNKNOWN'],
    [administration, bearer(keys.read), 403, 'HOP_KEY_POWER'],
    [administration, bearer(keys.admin), 200, undefined],
    [administration, owner, 200, undefined],
    ['/api/v1/members', bearer(keys.read), 403, 'HOP_KEY_POWER'],
    ['/api/v1/me', bearer(keys.admin), 401, 'HOP_LOGIN_REQUIRED'],
  ]
  for (const [url, headers, status, expected] of matrix) {
    const answer = await hopper.get(url, headers)
    expect([url, answer.status, code(answer)]).toEqual([url, status, expected])
  }
  expect((await hopper.get('/api/v1/apps', bearer(keys.read))).body).toMatchObject({ apps: [{ id: 'shop' }] })
  expect((await hopper.get('/api/v1/apps', bearer(keys.admin))).body).toMatchObject({
    apps: [{ id: 'blog' }, { id: 'shop' }],
  })
})

test('a login link works once and not after a day', async () => {
  const redeem = (link: string): ReturnType<Installation['send']> =>
    hopper.send('POST', '/login', { token: new URL(link).searchParams.get('token') })
  const link = await linkOf('owner')
  await follow(link)
  expect(await redeem(link)).toMatchObject({ status: 401, body: { error: { code: 'HOP_LOGIN_FAILED' } } })
  const late = await linkOf('owner')
  hopper.clock += 86_400_001
  expect((await redeem(late)).status).toBe(401)
  hopper.clock -= 86_400_001
})

test('a change by cookie needs the CSRF header; a read does not', async () => {
  const funnel = { id: 'f', name: 'F', stages: [{ id: 1, name: 'one', url: '/one' }] }
  const url = '/api/v1/apps/shop/funnels'
  expect(code(await hopper.send('POST', url, funnel, { cookie: owner['cookie']! }))).toBe('HOP_CSRF')
  expect(code(await hopper.send('POST', url, funnel, { ...owner, 'x-hopper-csrf': 'wrong' }))).toBe('HOP_CSRF')
  expect((await hopper.send('POST', url, funnel, owner)).status).toBe(201)
  expect(code(await hopper.send('POST', url, funnel, owner))).toBe('HOP_CONFLICT')
  expect((await hopper.send('PATCH', `${url}/f`, { name: 'G' }, owner)).body).toEqual({ ...funnel, name: 'G' })
  expect((await hopper.send('DELETE', `${url}/f`, undefined, owner)).status).toBe(204)
  expect(code(await hopper.send('DELETE', `${url}/f`, undefined, owner))).toBe('HOP_FUNNEL_UNKNOWN')
})

test('funnels are listed in the order in which they were made: a new one does not become the first', async () => {
  const url = '/api/v1/apps/shop/funnels'
  const ids = async (): Promise<string[]> =>
    ((await hopper.get(url)).body as { funnels: { id: string }[] }).funnels.map(({ id }) => id)
  const before = hopper.clock
  for (const id of ['b-later', 'a-last']) {
    hopper.clock += 1_000
    const funnel = { id, name: id, stages: [{ name: 'one', url: '/one' }] }
    expect((await hopper.send('POST', url, funnel, owner)).status).toBe(201)
  }
  expect((await hopper.send('PATCH', `${url}/b-later`, { name: 'Changed' }, owner)).status).toBe(200)
  expect(await ids()).toEqual(['checkout', 'b-later', 'a-last'])
  for (const id of ['b-later', 'a-last'])
    expect((await hopper.send('DELETE', `${url}/${id}`, undefined, owner)).status).toBe(204)
  hopper.clock = before
})

test('cookies are HttpOnly and Lax, stored only as hashes, and end with the logout', async () => {
  const token = new URL(await linkOf('owner')).searchParams.get('token')
  const { headers } = await hopper.send('POST', '/login', { token })
  expect((headers['set-cookie'] as string[])[0]).toMatch(
    /^hopper_session=[\w-]{43}; HttpOnly; Max-Age=2592000; Path=\/; SameSite=Lax$/,
  )
  const login = headersOf(headers)
  expect((await hopper.get('/api/v1/me', login)).body).toEqual({
    member: { id: 'owner', name: 'Owner', role: 'owner', has_password: false },
    organization: { id: 'acme', name: 'Acme' },
    csrf: login['x-hopper-csrf'],
  })
  expect(JSON.stringify(await hopper.storage.registry.logins.list(''))).not.toContain(
    /hopper_session=([\w-]+)/.exec(login['cookie']!)![1],
  )
  expect((await hopper.send('POST', '/api/v1/logout', undefined, login)).status).toBe(204)
  expect((await hopper.get('/api/v1/me', login)).status).toBe(401)
})

test('an invited member sets a first password without a current one, which ends the other links', async () => {
  const invited = await hopper.send(
    'POST',
    '/api/v1/members',
    { id: 'ines', name: 'Ines', role: 'viewer', email: 'ines@shop.example' },
    owner,
  )
  const { login_link: link } = invited.body as { login_link: string }
  const ines = await follow(link)
  const me = async (): Promise<unknown> => (await hopper.get('/api/v1/me', ines)).body
  expect(await me()).toMatchObject({ member: { id: 'ines', has_password: false, email: 'ines@shop.example' } })
  const left = await linkOf('ines')
  const choose = (password: string): ReturnType<Installation['send']> =>
    hopper.send('PATCH', '/api/v1/members/me', { password }, ines)
  expect(await choose('password123')).toMatchObject({ status: 400, body: { error: { code: 'HOP_PARAM_INVALID' } } })
  expect((await choose('six green llamas 2208')).status).toBe(200)
  expect(await me()).toMatchObject({ member: { has_password: true } })
  // now it takes the old one
  expect(code(await choose('six blue llamas 2208'))).toBe('HOP_LOGIN_FAILED')
  for (const used of [link, left]) {
    const token = new URL(used).searchParams.get('token')
    expect(code(await hopper.send('POST', '/login', { token }))).toBe('HOP_LOGIN_FAILED')
  }
  expect((await hopper.send('DELETE', '/api/v1/members/ines', undefined, owner)).status).toBe(204)
})

test('until a password is chosen, an invited member can read me, choose it and log out, and nothing else', async () => {
  const member = { id: 'kai', name: 'Kai', role: 'admin' }
  const made = await hopper.send('POST', '/api/v1/members', member, owner)
  const kai = await follow((made.body as { login_link: string }).login_link)
  const calls: [Parameters<Installation['send']>[0], string, object?][] = [
    ['GET', '/api/v1/apps'],
    ['GET', '/api/v1/apps/shop/traffic'],
    ['GET', '/api/v1/apps/foreign/traffic'],
    ['GET', '/api/v1/me/sessions'],
    ['GET', '/api/v1/members'],
    ['POST', '/api/v1/apps/shop/keys', { power: 'read' }],
    ['POST', '/api/v1/me/second-factor', {}],
    ['PATCH', '/api/v1/members/kai', { role: 'viewer' }],
    ['POST', '/api/v1/members/kai/login-link'],
    ['POST', '/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/list' }],
  ]
  for (const [method, url, body] of calls) {
    const refused = await hopper.send(method, url, body, kai)
    expect([url, refused.status, code(refused)]).toEqual([url, 403, 'HOP_PASSWORD_REQUIRED'])
  }
  expect((await hopper.get('/api/v1/me', kai)).status).toBe(200)
  const password = 'four brown foxes 9031'
  expect((await hopper.send('PATCH', '/api/v1/members/me', { password }, kai)).status).toBe(200)
  expect((await hopper.get('/api/v1/apps/shop/traffic', kai)).status).toBe(200)
  expect((await hopper.send('DELETE', '/api/v1/members/kai', undefined, owner)).status).toBe(204)

  const again = await hopper.send('POST', '/api/v1/members', { ...member, id: 'noa' }, owner)
  const noa = await follow((again.body as { login_link: string }).login_link)
  expect((await hopper.send('POST', '/api/v1/logout', undefined, noa)).status).toBe(204)
  expect((await hopper.send('DELETE', '/api/v1/members/noa', undefined, owner)).status).toBe(204)
})

test('members: a viewer can only read, an admin cannot create owners, the last owner stays', async () => {
  const made = await hopper.send(
    'POST',
    '/api/v1/members',
    { id: 'vera', name: 'Vera', role: 'viewer', password: 'correct horse' },
    owner,
  )
  expect(made.status, made.text).toBe(201)
  expect(code(await hopper.send('POST', '/api/v1/login', { name: 'Vera', password: 'wrong horse' }))).toBe(
    'HOP_LOGIN_FAILED',
  )
  const logged = await hopper.send('POST', '/api/v1/login', { name: 'Vera', password: 'correct horse' })
  expect(logged).toMatchObject({ status: 200, body: { member: { id: 'vera', role: 'viewer' } } })
  const vera = headersOf(logged.headers)
  expect((await hopper.get('/api/v1/apps/blog/traffic', vera)).status).toBe(200)
  expect(code(await hopper.send('POST', '/api/v1/apps', { id: 'x', name: 'X' }, vera))).toBe('HOP_ROLE')
  expect(code(await hopper.send('PATCH', '/api/v1/members/me', { password: 'another horse' }, vera))).toBe(
    'HOP_LOGIN_FAILED',
  )
  expect(
    (
      await hopper.send(
        'PATCH',
        '/api/v1/members/me',
        { password: 'another horse', current_password: 'correct horse' },
        vera,
      )
    ).status,
  ).toBe(200)
  await hopper.send('PATCH', '/api/v1/members/vera', { role: 'admin' }, owner)
  expect(code(await hopper.send('PATCH', '/api/v1/members/vera', { role: 'owner' }, vera))).toBe('HOP_ROLE')
  expect(code(await hopper.send('DELETE', '/api/v1/members/owner', undefined, vera))).toBe('HOP_ROLE')
  expect(code(await hopper.send('DELETE', '/api/v1/members/owner', undefined, owner))).toBe('HOP_CONFLICT')
  expect((await hopper.send('DELETE', '/api/v1/members/vera', undefined, owner)).status).toBe(204)
  expect((await hopper.get('/api/v1/me', vera)).status).toBe(401)
})

test('opening a login link changes nothing, a form logs in once, and a newer link ends it', async () => {
  const first = new URL(await linkOf('owner')).searchParams.get('token')!
  const second = new URL(await linkOf('owner')).searchParams.get('token')!
  const form = (token: string, headers: Record<string, string> = {}): ReturnType<typeof hopper.app.inject> =>
    hopper.app.inject({
      method: 'POST',
      url: '/login',
      payload: `token=${token}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    })
  for (let i = 0; i < 3; i++) expect((await hopper.get(`/login?token=${second}`, {})).status).toBe(200)
  expect((await form(first)).statusCode).toBe(401)
  expect((await form(second, { 'sec-fetch-site': 'cross-site' })).json()).toMatchObject({
    error: { code: 'HOP_FOREIGN_ORIGIN' },
  })
  expect((await form(second)).statusCode).toBe(303)
  expect((await form(second)).statusCode).toBe(401)
  const page = await hopper.get('/login?token="><script>alert(1)</script>', {})
  expect([page.status, page.headers['location']]).toEqual([302, '/?login=expired'])
  const elsewhere = await hopper.app.inject({
    method: 'POST',
    url: '/api/v1/apps',
    payload: 'id=x&name=y',
    headers: { ...owner, 'content-type': 'application/x-www-form-urlencoded' },
  })
  expect(elsewhere.statusCode).toBe(415)
})

test('sessions are listed and ended at once, and end after a week without use', async () => {
  const other = await follow(await linkOf('owner'))
  const { body } = await hopper.get('/api/v1/me/sessions', owner)
  const { sessions } = body as { sessions: { id: string; current: boolean }[] }
  expect(sessions.filter(({ current }) => current)).toHaveLength(1)
  expect((await hopper.get('/api/v1/me', other)).status).toBe(200)
  for (const { id, current } of sessions)
    if (!current) expect((await hopper.send('DELETE', `/api/v1/me/sessions/${id}`, undefined, owner)).status).toBe(204)
  expect((await hopper.get('/api/v1/me', other)).status).toBe(401)
  expect((await hopper.get('/api/v1/me', owner)).status).toBe(200)
  const before = hopper.clock
  hopper.clock += 6 * 86_400_000
  expect((await hopper.get('/api/v1/me', owner)).status).toBe(200)
  hopper.clock += 7 * 86_400_000
  expect((await hopper.get('/api/v1/me', owner)).status).toBe(401)
  hopper.clock = before
})

test('members of two organizations with one id and name do not affect each other', async () => {
  const ann = { id: 'ann', name: 'Ann', role: 'viewer' }
  const setPassword = (key: string, password: string): ReturnType<typeof hopper.send> =>
    hopper.send('POST', '/api/v1/members', { ...ann, password }, bearer(key))
  expect((await setPassword(keys.admin, 'first long sentence')).status).toBe(201)
  expect((await setPassword(keys.otherAdmin, 'second long sentence')).status).toBe(201)
  const login = (password: string, organization?: string): ReturnType<typeof hopper.send> =>
    hopper.send('POST', '/api/v1/login', { name: 'Ann', password, ...(organization && { organization }) })
  expect((await login('first long sentence')).body).toMatchObject({ organization: { id: 'acme' } })
  expect((await login('second long sentence')).body).toMatchObject({ organization: { id: 'other' } })
  expect((await login('first long sentence', 'other')).status).toBe(401)
  for (const key of [keys.admin, keys.otherAdmin])
    expect((await hopper.send('DELETE', '/api/v1/members/ann', undefined, bearer(key))).status).toBe(204)
})

test('a common password is refused by name of the field', async () => {
  const refused = await hopper.send('PATCH', '/api/v1/members/me', { password: 'Password123!' }, owner)
  expect(refused).toMatchObject({ status: 400, body: { error: { details: { fields: [{ field: 'password' }] } } } })
})

test('with https, cookies have the prefix that binds them to this host', async () => {
  const app = await apiOver(hopper.storage, { publicUrl: 'https://hopper.example', clock: () => hopper.clock })
  try {
    const token = new URL(await linkOf('owner')).searchParams.get('token')
    const { headers } = await app.inject({ method: 'POST', url: '/login', payload: { token } })
    const [session, csrf] = headers['set-cookie'] as string[]
    expect(session).toMatch(/^__Host-hopper_session=[\w-]{43}; HttpOnly; .*Path=\/; SameSite=Lax; Secure$/)
    expect(csrf).toMatch(/^__Host-hopper_csrf=/)
    const me = (cookie: string): Promise<{ statusCode: number }> =>
      app.inject({ method: 'GET', url: '/api/v1/me', headers: { cookie } })
    expect((await me(session!.split(';')[0]!)).statusCode).toBe(200)
    expect((await me(session!.split(';')[0]!.replace('__Host-', ''))).statusCode).toBe(401)
  } finally {
    await app.close()
  }
})

test('ten wrong guesses from one address do not lock the member out elsewhere', async () => {
  const { registry } = hopper.storage
  await hopper.send(
    'POST',
    '/api/v1/members',
    { id: 'bea', name: 'Bea', role: 'viewer', password: 'blue kettle on fire' },
    owner,
  )
  const app = await apiOver(hopper.storage, { clock: () => hopper.clock })
  const login = (password: string, remoteAddress: string): Promise<{ statusCode: number }> =>
    app.inject({ method: 'POST', url: '/api/v1/login', payload: { name: 'bea', password }, remoteAddress })
  try {
    for (let i = 0; i < 10; i++) expect((await login('wrong', '203.0.113.1')).statusCode).toBe(401)
    expect((await login('blue kettle on fire', '203.0.113.1')).statusCode).toBe(429)
    expect((await login('blue kettle on fire', '203.0.113.2')).statusCode).toBe(200)
  } finally {
    await app.close()
    await registry.members.remove('acme', 'bea')
  }
})

test('password guesses are limited per name and address', async () => {
  const guesses = await Promise.all(
    Array.from({ length: 14 }, () => hopper.send('POST', '/api/v1/login', { name: 'victim', password: 'guess' })),
  )
  expect(guesses.map(({ status }) => status).filter((status) => status === 401)).toHaveLength(10)
  expect(guesses.filter(({ status, headers }) => status === 429 && Number(headers['retry-after']) > 0)).toHaveLength(4)
})

test('a key is shown once, later only its hint, and it stops working when removed', async () => {
  const { body } = await hopper.send('POST', '/api/v1/apps/shop/keys', { power: 'read' }, owner)
  const { id, key, hint } = body as { id: string; key: string; hint: string }
  expect((await hopper.get('/api/v1/apps/shop', bearer(key))).status).toBe(200)
  const { text } = await hopper.get('/api/v1/apps/shop/keys', owner)
  expect(text).toContain(hint)
  expect(text).not.toContain(key)
  expect((await hopper.send('DELETE', `/api/v1/apps/shop/keys/${id}`, undefined, owner)).status).toBe(204)
  expect((await hopper.get('/api/v1/apps/shop', bearer(key))).status).toBe(401)
})

test('a write key can be read again, and keys show their name and their last use', async () => {
  const made = await hopper.send('POST', '/api/v1/apps/shop/keys', { power: 'write', name: 'Blog' }, owner)
  const { id, key } = made.body as { id: string; key: string }
  const secret = await hopper.send('POST', '/api/v1/apps/shop/keys', { power: 'read' }, owner)
  const used = secret.body as { id: string; key: string }
  type Listed = { id: string; key?: string; name?: string; last_used_at?: number }
  const listed = async (): Promise<Listed[]> =>
    ((await hopper.get('/api/v1/apps/shop/keys', owner)).body as { keys: Listed[] }).keys
  const find = async (wanted: string): Promise<Listed | undefined> => (await listed()).find((one) => one.id === wanted)
  expect(await find(id)).toMatchObject({ key, name: 'Blog' })
  expect(await find(used.id)).not.toHaveProperty('key')
  expect(await find(used.id)).not.toHaveProperty('last_used_at')
  expect((await hopper.get('/api/v1/apps/shop', bearer(used.key))).status).toBe(200)
  await expect.poll(async () => (await find(used.id))!.last_used_at).toBeGreaterThan(0)
  const organization = (await hopper.storage.registry.app('shop'))!.organization
  for (const one of [id, used.id])
    expect((await hopper.send('DELETE', `/api/v1/apps/shop/keys/${one}`, undefined, owner)).status).toBe(204)
  const uses = await hopper.storage.registry.keyUses.list(organization)
  expect(uses.some(({ hash }) => hash.startsWith(used.id))).toBe(false)
})

test('apps and elements can be added and changed, and invalid ones are refused by field', async () => {
  const bad = await hopper.send('POST', '/api/v1/apps', { id: 'new', name: 'New', timezone: 'Mars/Olympus' }, owner)
  expect(bad).toMatchObject({
    status: 400,
    body: { error: { code: 'HOP_PARAM_INVALID', details: { fields: [{ field: 'timezone' }] } } },
  })
  const { status, body } = await hopper.send(
    'POST',
    '/api/v1/apps',
    { id: 'new', name: 'New', timezone: 'Asia/Tokyo' },
    owner,
  )
  expect(status).toBe(201)
  expect((await hopper.get('/api/v1/apps/new/traffic', bearer((body as { read_key: string }).read_key))).status).toBe(
    200,
  )
  expect(code(await hopper.send('POST', '/api/v1/apps', { id: 'foreign', name: 'Taken' }, owner))).toBe('HOP_CONFLICT')
  expect((await hopper.send('POST', '/api/v1/apps/new/elements', { name: 'a', xpath: '//a/b' }, owner)).status).toBe(
    201,
  )
  expect(
    (await hopper.send('PATCH', `/api/v1/apps/new/elements?xpath=${encodeURIComponent('//a/b')}`, { name: 'b' }, owner))
      .body,
  ).toEqual({ name: 'b', xpath: '//a/b' })
  expect((await hopper.send('DELETE', '/api/v1/apps/new/elements?xpath=//a/b', undefined, owner)).status).toBe(204)
})

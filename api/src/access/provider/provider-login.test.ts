import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { createServer } from 'node:http'
import { pino } from 'pino'
import type { OidcOptions } from '../../options.ts'
import { apiOver, type Installation } from '../../testing/installation.fixture.ts'
import { openIdProvider, type OpenIdProvider } from '../../testing/openid-provider.fixture.ts'
import {
  atProvider,
  begin,
  browserOf,
  CALLBACK,
  html,
  IN,
  logIn,
  me,
  open,
  outcome,
  refusedAs,
  type Browser,
} from '../../testing/provider-browser.fixture.ts'
import {
  openProviderInstallation,
  type Person,
  type ProviderInstallation,
} from '../../testing/provider-installation.fixture.ts'

// password hashing is slow on purpose
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let installation: ProviderInstallation
let hopper: Installation
let provider: OpenIdProvider
let oidc: OidcOptions
let ann: Person

beforeAll(async () => {
  installation = await openProviderInstallation()
  ;({ hopper, provider, oidc } = installation)
})
afterAll(() => installation.close())
beforeEach(async () => void (ann = await installation.newPerson()))

const browserAt = (app: NestFastifyApplication = hopper.app): Browser => browserOf(app)

test('a member logs in, is listed as linked, and has a session like any other', async () => {
  expect((await hopper.get('/api/v1/login', {})).body).toEqual({ provider: { name: 'Keycloak' } })
  const browser = browserAt()
  const url = await begin(browser)
  expect([...url.searchParams.keys()].sort()).toEqual([
    'client_id',
    'code_challenge',
    'code_challenge_method',
    'nonce',
    'redirect_uri',
    'response_type',
    'scope',
    'state',
  ])
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    response_type: 'code',
    code_challenge_method: 'S256',
    redirect_uri: CALLBACK,
    scope: 'openid email',
  })
  expect(await installation.listed(ann.id)).toMatchObject({ email: ann.email, provider_linked: false })
  const answer = await open(browser, await atProvider(url))
  expect(outcome(answer)).toEqual(IN)
  expect((answer.headers['set-cookie'] as string[]).map((cookie) => cookie.replace(/=[\w-]{43};/, '=…;'))).toEqual([
    'hopper_oidc=; HttpOnly; Max-Age=0; Path=/; SameSite=Lax',
    'hopper_session=…; HttpOnly; Max-Age=2592000; Path=/; SameSite=Lax',
    'hopper_csrf=…; Max-Age=2592000; Path=/; SameSite=Lax',
    expect.stringMatching(/^hopper_id_token=[\w.-]+; HttpOnly; Max-Age=2592000; Path=\/api\/v1\/logout; /),
  ])
  expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
  expect(await me(browser)).toMatchObject({
    member: { id: ann.id, role: 'viewer' },
    organization: { id: 'acme' },
    provider_login: { name: 'Keycloak', email: ann.email },
  })
  expect((await open(browser, '/api/v1/me/sessions', {})).json()).toMatchObject({ sessions: [{ current: true }] })
  expect(await installation.listed(ann.id)).toMatchObject({ provider_linked: true })
  expect(outcome(await logIn(browserAt()))).toEqual(IN)
})

test('nothing is asked of the provider before a login, and its description is read once', async () => {
  const ownProvider = await openIdProvider({ redirectUri: CALLBACK })
  const app = await apiOver(hopper.storage, { oidc: { ...oidc, issuer: ownProvider.issuer } })
  expect(ownProvider.requests).toEqual([])
  await Promise.all(Array.from({ length: 5 }, () => open(browserAt(app), '/login/oidc')))
  expect(ownProvider.requests).toEqual(['/.well-known/openid-configuration'])
  await app.close()
  await ownProvider.stop()
})

test('a person who cancels at the provider is told so on the login page', async () => {
  provider.account = undefined
  expect(outcome(await logIn(browserAt()))).toEqual(refusedAs('cancelled'))
})

test('a program gets errors of the catalogue', async () => {
  const browser = browserAt()
  const back = await atProvider(await begin(browser))
  await open(browser, back)
  const again = await open(browser, back, {})
  expect([again.statusCode, again.json()]).toMatchObject([
    401,
    { error: { code: 'HOP_LOGIN_FAILED', details: { reason: 'stale' } } },
  ])
})

test('state, nonce and verifier are checked, and belong to the browser that has begun', async () => {
  const changed = async (parameter: string, side: 'there' | 'back'): Promise<unknown[]> => {
    const browser = browserAt()
    const there = await begin(browser)
    if (side === 'there') there.searchParams.set(parameter, 'x'.repeat(43))
    const back = new URL(await atProvider(there))
    if (side === 'back') back.searchParams.set(parameter, 'x'.repeat(43))
    const answer = await open(browser, back.href)
    expect(await me(browser)).toBe(401)
    return outcome(answer)
  }
  expect(await changed('state', 'there')).toEqual(refusedAs('stale'))
  expect(await changed('state', 'back')).toEqual(refusedAs('stale'))
  for (const [parameter, side, reason] of [
    ['nonce', 'there', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED'],
    ['code_challenge', 'there', 'invalid_grant'],
    ['code', 'back', 'invalid_grant'],
    ['iss', 'back', 'OAUTH_INVALID_RESPONSE'],
  ] as const) {
    expect([parameter, await changed(parameter, side)]).toEqual([parameter, refusedAs('failed')])
    expect([parameter, installation.log.at(-1)]).toEqual([parameter, expect.stringContaining(reason)])
  }
  // the control: the same way with nothing changed
  expect(outcome(await logIn(browserAt()))).toEqual(IN)

  const [mine, theirs] = [browserAt(), browserAt()]
  const back = await atProvider(await begin(mine))
  expect(outcome(await open(theirs, back))).toEqual(refusedAs('stale'))
  const theirBack = new URL(await atProvider(await begin(theirs)))
  expect(outcome(await open(theirs, back))).toEqual(refusedAs('stale'))
  // a code that somebody else got, with the state of this browser
  const third = browserAt()
  const state = (await begin(third)).searchParams.get('state')!
  theirBack.searchParams.set('state', state)
  expect(outcome(await open(third, theirBack.href))).toEqual(refusedAs('failed'))
})

test('a token that the keys of the provider have not signed is refused', async () => {
  const ownProvider = await openIdProvider({ redirectUri: CALLBACK })
  ownProvider.account = 's'
  ownProvider.accounts.set('s', { email: ann.email, email_verified: true })
  const tried = async (): Promise<unknown[]> => {
    const app = await apiOver(hopper.storage, {
      oidc: { ...oidc, issuer: ownProvider.issuer },
      clock: () => hopper.clock,
    })
    const browser = browserAt(app)
    const { headers } = await open(browser, '/login/oidc')
    const answer = await open(browser, await atProvider(new URL(headers['location']!)))
    await app.close()
    return outcome(answer)
  }
  ownProvider.hasOtherKeys = true
  expect(await tried()).toEqual(refusedAs('failed'))
  ownProvider.hasOtherKeys = false
  expect(await tried()).toEqual(IN)
  await ownProvider.stop()
})

test('a provider that does not answer delays few logins, and none for long', async () => {
  const backs: [Browser, string][] = []
  for (let i = 0; i < 40; i++) {
    const browser = browserAt()
    backs.push([browser, await atProvider(await begin(browser))])
  }
  provider.hangs = true
  let ended = 0
  const outcomes = backs.map(async ([browser, back]) => {
    const got = outcome(await open(browser, back))
    ended++
    return got
  })
  await expect.poll(() => ended, { timeout: 3_000 }).toBe(8)
  expect(await Promise.all(outcomes)).toEqual(backs.map(() => refusedAs('unavailable')))
  provider.hangs = false
  expect(outcome(await logIn(browserAt()))).toEqual(IN)
})

test('the way back works once, and not after ten minutes', async () => {
  const browser = browserAt()
  const back = await atProvider(await begin(browser))
  const cookie = browser.cookies.get('hopper_oidc')!
  expect(outcome(await open(browser, back))).toEqual(IN)
  expect(outcome(await open(browser, back))).toEqual(refusedAs('stale'))
  browser.cookies.set('hopper_oidc', cookie)
  expect(outcome(await open(browser, back))).toEqual(refusedAs('stale'))

  const late = browserAt()
  const lateBack = await atProvider(await begin(late))
  const [end, random] = late.cookies.get('hopper_oidc')!.split('.')
  hopper.clock += 10 * 60_000
  expect(outcome(await open(late, lateBack))).toEqual(refusedAs('stale'))
  // another end of the same login would need another state
  late.cookies.set('hopper_oidc', `${(parseInt(end!, 36) + 60_000).toString(36)}.${random}.`)
  expect(outcome(await open(late, lateBack))).toEqual(refusedAs('stale'))
  hopper.clock -= 10 * 60_000
  // the control: the cookie as it was, in time
  late.cookies.set('hopper_oidc', `${end}.${random}.`)
  expect(outcome(await open(late, lateBack))).toEqual(IN)
})

test('a login may begin at one process and end at another; of two processes that end it, one succeeds', async () => {
  const other = await apiOver(hopper.storage, { oidc, clock: () => hopper.clock })
  const browser = browserAt()
  const back = await atProvider(await begin(browser))
  const elsewhere = { ...browserAt(other), cookies: new Map(browser.cookies) }
  const outcomes = (await Promise.all([open(browser, back), open(elsewhere, back)])).map(outcome)
  expect(outcomes).toHaveLength(2)
  expect(outcomes).toContainEqual(IN)
  expect(outcomes).toContainEqual(refusedAs('stale'))
  await other.close()
})

test('no request says where a login leads, and no other site begins one', async () => {
  const browser = browserAt()
  const url = await begin(browser, '/login/oidc?redirect_uri=https://evil.example&next=//evil.example&return_to=/x')
  expect(url.searchParams.get('redirect_uri')).toBe(CALLBACK)
  const back = new URL(await atProvider(url))
  back.searchParams.set('next', 'https://evil.example')
  expect(outcome(await open(browser, back.href))).toEqual(IN)
  const foreign = browserAt()
  for (const site of ['cross-site', 'same-site']) {
    const answer = await open(foreign, '/login/oidc', { ...html, 'sec-fetch-site': site })
    expect([outcome(answer), foreign.cookies.size]).toEqual([[302, '/'], 0])
  }
  expect(
    (await open(foreign, '/login/oidc', { ...html, 'sec-fetch-site': 'same-origin' })).headers['location'],
  ).toContain(provider.issuer)
})

test('with https, the cookie has the prefix that binds it to this host', async () => {
  const app = await apiOver(hopper.storage, { oidc, publicUrl: 'https://hopper.example', clock: () => hopper.clock })
  const { headers } = await open(browserAt(app), '/login/oidc')
  expect(headers['set-cookie']).toMatch(
    /^__Host-hopper_oidc=[0-9a-z]+\.[\w-]{43}\.; HttpOnly; Max-Age=600; Path=\/; SameSite=Lax; Secure$/,
  )
  expect(new URL(headers['location']!).searchParams.get('redirect_uri')).toBe(
    'https://hopper.example/login/oidc/callback',
  )
  await app.close()
})

test('failures of an address count as its failed logins; a page of another site cannot add to them', async () => {
  const browser = browserAt()
  for (let i = 0; i < 150; i++) await open({ ...browser, cookies: new Map() }, '/login/oidc/callback?state=x&code=y')
  const back = new URL(await atProvider(await begin(browser)))
  expect(outcome(await open(browser, back.href))).toEqual(IN)
  const cookie = browser.cookies
  for (let i = 0; i < 100; i++) {
    cookie.set('hopper_oidc', `zzzzzzzz.${'x'.repeat(43)}.`)
    expect(outcome(await open(browser, '/login/oidc/callback?state=x&code=y'))).toEqual(refusedAs('stale'))
  }
  cookie.set('hopper_oidc', `zzzzzzzz.${'x'.repeat(43)}.`)
  expect(outcome(await open(browser, '/login/oidc/callback?state=x&code=y'))).toEqual(refusedAs('rate'))
  expect(outcome(await open(browser, '/login/oidc'))).toEqual([302, '/?login=rate'])
  const limited = await browser.app.inject({
    method: 'POST',
    url: '/api/v1/login',
    payload: { member: ann.id, password: 'x' },
    remoteAddress: browser.address,
  })
  expect(limited.statusCode).toBe(429)
  expect(outcome(await logIn(browserAt()))).toEqual(IN)
})

test('a provider that is down stops only its own logins, and is asked again', async () => {
  const ownProvider = await openIdProvider({ redirectUri: CALLBACK })
  await ownProvider.stop()
  const app = await apiOver(hopper.storage, {
    oidc: { ...oidc, issuer: ownProvider.issuer },
    clock: () => hopper.clock,
  })
  const browser = browserAt(app)
  expect(outcome(await open(browser, '/login/oidc'))).toEqual([302, '/?login=unavailable'])
  const answer = await open(browser, '/login/oidc', {})
  expect([answer.statusCode, answer.json()]).toMatchObject([503, { error: { code: 'HOP_PROVIDER_UNAVAILABLE' } }])
  const password = 'seven green kettles 4711'
  await installation.change(ann.id, { password })
  const login = await app.inject({ method: 'POST', url: '/api/v1/login', payload: { member: ann.id, password } })
  expect(login.statusCode).toBe(200)
  await ownProvider.start()
  ownProvider.account = 's'
  ownProvider.accounts.set('s', { email: ann.email, email_verified: true })
  await expect
    .poll(async () => (await open(browser, '/login/oidc')).headers['location'], { timeout: 15_000 })
    .toMatch(ownProvider.issuer)
  const { headers } = await open(browser, '/login/oidc')
  const back = await atProvider(new URL(headers['location']!))
  // down between the way there and the way back
  await ownProvider.stop()
  expect(outcome(await open(browser, back))).toEqual(refusedAs('unavailable'))
  await app.close()
})

test('without a provider there is none', async () => {
  const app = await apiOver(hopper.storage)
  expect((await app.inject('/api/v1/login')).json()).toEqual({})
  for (const path of ['/login/oidc', '/login/oidc/callback?state=x'])
    expect((await app.inject({ url: path, headers: html })).json()).toMatchObject({ error: { code: 'HOP_NOT_FOUND' } })
  await app.close()
})

test('a provider with other addresses or another name is refused, and the log says why', async () => {
  const lines: string[] = []
  let description: object = {}
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(description))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  const good = {
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
  }
  const tried = async (changed: object, origins: string[] = []): Promise<unknown> => {
    description = { ...good, ...changed }
    const app = await apiOver(hopper.storage, {
      oidc: { ...oidc, issuer, origins },
      logger: pino({}, { write: (line) => void lines.push(line) }),
    })
    const { headers } = await open(browserAt(app), '/login/oidc')
    await app.close()
    return headers['location']?.replace(/\?(?!login).*/, '')
  }
  const foreign = 'https://169.254.169.254'
  expect(await tried({})).toBe(`${issuer}/auth`)
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint']) {
    expect([name, await tried({ [name]: `${foreign}/latest` })]).toEqual([name, '/?login=failed'])
    expect(lines.at(-1)).toContain(`an address of ${foreign}`)
    expect([name, await tried({ [name]: `${foreign}/latest` }, [foreign])]).not.toEqual([name, '/?login=failed'])
  }
  expect(await tried({ token_endpoint: undefined })).toBe('/?login=failed')
  expect(await tried({ issuer: 'https://login.example' })).toBe('/?login=failed')
  await new Promise((resolve) => server.close(resolve))
})

test('no log contains a secret of these logins', async () => {
  const browser = browserAt()
  const there = await begin(browser)
  const back = new URL(await atProvider(there))
  const cookie = browser.cookies.get('hopper_oidc')!
  back.searchParams.set('iss', 'https://evil.example')
  await open(browser, back.href)
  const text = installation.log.join('')
  expect(text).toContain('a login by OpenID Connect failed')
  const secrets = [
    provider.clientSecret,
    back.searchParams.get('code')!,
    there.searchParams.get('state')!,
    there.searchParams.get('nonce')!,
    cookie.split('.')[1]!,
    ann.email,
    'eyJ',
  ]
  for (const secret of secrets) expect(text).not.toContain(secret)
})

import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { URI, type TOTP } from 'otpauth'
import { ProviderLinks } from './provider-links.ts'
import type { OidcOptions } from '../../options.ts'
import { apiOver, type Installation } from '../../testing/installation.fixture.ts'
import { openIdProvider, type OpenIdProvider } from '../../testing/openid-provider.fixture.ts'
import {
  atProvider,
  begin,
  browserOf,
  CALLBACK,
  IN,
  logIn,
  me,
  open,
  outcome,
  refusedAs,
  type Browser,
} from '../../testing/provider-browser.fixture.ts'
import {
  admin,
  otherAdmin,
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

test('the address is compared without case, and is found by userinfo where the ID token has none', async () => {
  provider.accounts.set(ann.subject, { email: ann.email.toUpperCase(), email_verified: true })
  expect(outcome(await logIn(browserAt()))).toEqual(IN)
  const ownProvider = await openIdProvider({ redirectUri: CALLBACK, isEmailInIdToken: false })
  ownProvider.accounts.set('s', { email: ann.email, email_verified: true })
  ownProvider.account = 's'
  const app = await apiOver(hopper.storage, {
    oidc: { ...oidc, issuer: ownProvider.issuer },
    clock: () => hopper.clock,
  })
  const browser = browserAt(app)
  const { headers } = await open(browser, '/login/oidc')
  // another issuer: what the first has bound does not count
  expect(outcome(await open(browser, await atProvider(new URL(headers['location']!))))).toEqual(IN)
  expect(ownProvider.requests.at(-1)).toBe('/me')
  await app.close()
  await ownProvider.stop()
})

test('a person unknown to Hopper gets no session, and no member', async () => {
  const before = (await hopper.storage.registry.members.list()).length
  for (const [account, fault] of [
    [{ email: 'stranger@shop.example', email_verified: true }, 'unknown'],
    [{ email: `${ann.email}.evil.example`, email_verified: true }, 'unknown'],
    [{ email: ann.email, email_verified: false }, 'unverified'],
    [{ email: ann.email, email_verified: 'true' }, 'unverified'],
    [{ email: ann.email }, 'unverified'],
    [{ email: ann.email.replace('n', 'ｎ'), email_verified: true }, 'unverified'],
    [{ email_verified: true }, 'unverified'],
    [{}, 'unverified'],
  ] as const) {
    provider.accounts.set(ann.subject, account)
    const browser = browserAt()
    expect([account, outcome(await logIn(browser))]).toEqual([account, refusedAs(fault)])
    expect([...browser.cookies.keys()]).toEqual([])
  }
  expect((await hopper.storage.registry.members.list()).length).toBe(before)
  expect(await installation.listed(ann.id)).toMatchObject({ provider_linked: false })
})

test('an account stays bound: neither a new address at the provider nor a reused one changes who it is', async () => {
  expect(outcome(await logIn(browserAt()))).toEqual(IN)
  // Ann marries; her old address is given to somebody else
  provider.accounts.set(ann.subject, { email: 'ann.new@shop.example', email_verified: true })
  provider.accounts.set('successor', { email: ann.email, email_verified: true })
  const browser = browserAt()
  expect(outcome(await logIn(browser))).toEqual(IN)
  expect(await me(browser)).toMatchObject({ member: { id: ann.id } })
  provider.accounts.set(ann.subject, {})
  expect(outcome(await logIn(browserAt()))).toEqual(IN)
  provider.account = 'successor'
  expect(outcome(await logIn(browserAt()))).toEqual(refusedAs('linked'))
  expect(await me(browser)).toMatchObject({ member: { id: ann.id } })
  // the account of a member does not become another one who is given its address
  await installation.invite({ id: `second-${ann.id}`, email: `second-${ann.email}` })
  provider.accounts.set(ann.subject, { email: `second-${ann.email}`, email_verified: true })
  provider.account = ann.subject
  const again = browserAt()
  expect(outcome(await logIn(again))).toEqual(IN)
  expect(await me(again)).toMatchObject({ member: { id: ann.id } })
})

test('when two accounts with the same address log in at the same time, only one is bound', async () => {
  const process = await apiOver(hopper.storage, { oidc, clock: () => hopper.clock })
  const browsers = [browserAt(), browserAt(process)]
  const backs: string[] = []
  for (const [index, browser] of browsers.entries()) {
    provider.account = `twin-${index}-${ann.id}`
    provider.accounts.set(provider.account, { email: ann.email, email_verified: true })
    const { headers } = await open(browser, '/login/oidc')
    backs.push(await atProvider(new URL(headers['location']!)))
  }
  const outcomes = (await Promise.all(browsers.map((browser, index) => open(browser, backs[index]!)))).map(outcome)
  expect(outcomes).toContainEqual(IN)
  expect(outcomes).toContainEqual(refusedAs('linked'))
  await process.close()
})

test('when two processes bind eight accounts at the same moment, only one is bound', async () => {
  const { registry } = hopper.storage
  const processes = [0, 1].map(() => new ProviderLinks(registry, () => hopper.clock))
  const member = (await registry.members.get('acme', ann.id))!
  const bound = await Promise.allSettled(
    Array.from({ length: 8 }, (_, subject) =>
      processes[subject % 2]!.bind(member, { issuer: provider.issuer, subject: String(subject) }),
    ),
  )
  expect(bound.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const { subject } = (await registry.providerLinks.get('acme', ann.id))!
  expect(bound[Number(subject)]!.status).toBe('fulfilled')
})

test('another address set by an admin ends the sessions and lets in who has that address', async () => {
  const browser = browserAt()
  await logIn(browser)
  const next = `other-${ann.email}`
  await installation.change(ann.id, { name: 'Ann', email: ann.email.toUpperCase() })
  expect(await me(browser)).toMatchObject({ member: { name: 'Ann' } })
  await installation.change(ann.id, { email: next })
  expect(await me(browser)).toBe(401)
  expect(await installation.listed(ann.id)).toMatchObject({ email: next, provider_linked: false })
  expect(outcome(await logIn(browserAt()))).toEqual(refusedAs('unknown'))
  provider.account = `next-${ann.id}`
  provider.accounts.set(provider.account, { email: next, email_verified: true })
  expect(outcome(await logIn(browserAt()))).toEqual(IN)
  await installation.change(ann.id, { email: null })
  expect(await installation.listed(ann.id)).not.toHaveProperty('email')
  expect(outcome(await logIn(browserAt()))).toEqual(refusedAs('unknown'))
  // the same address again: what was bound to it before does not count
  await installation.change(ann.id, { email: next })
  provider.account = `third-${ann.id}`
  provider.accounts.set(provider.account, { email: next, email_verified: true })
  expect(outcome(await logIn(browserAt()))).toEqual(IN)
})

test('a removed member is logged out at once, even if a new member gets the same id', async () => {
  const browser = browserAt()
  await logIn(browser)
  expect((await hopper.send('DELETE', `/api/v1/members/${ann.id}`, undefined, admin)).status).toBe(204)
  expect(await me(browser)).toBe(401)
  expect(outcome(await logIn(browserAt()))).toEqual(refusedAs('unknown'))
  expect(await hopper.storage.registry.providerLinks.get('acme', ann.id)).toBeUndefined()
  await installation.invite({ id: ann.id, email: `again-${ann.email}` })
  expect(outcome(await logIn(browserAt()))).toEqual(refusedAs('unknown'))
})

test('a person in two organizations chooses one, and neither can prevent a login to the other', async () => {
  await logIn(browserAt())
  // the admin of the other organization names the address of somebody who is not theirs
  await installation.invite({ id: ann.id, email: ann.email }, otherAdmin)
  expect(await installation.listed(ann.id, otherAdmin)).toMatchObject({ provider_linked: false })
  const browser = browserAt()
  const page = await logIn(browser)
  expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
  const links = [...page.body.matchAll(/<a href="([^"]+)">([^<]+)</g)].map(([, href, name]) => [href, name])
  expect(links).toEqual([
    ['/login/oidc?organization=acme', 'Acme'],
    ['/login/oidc?organization=other', 'Other'],
  ])
  expect(page.body).not.toContain('<script')
  expect(await me(browser)).toBe(401)
  expect(outcome(await logIn(browser, '/login/oidc?organization=acme'))).toEqual(IN)
  expect(await me(browser)).toMatchObject({ organization: { id: 'acme' } })
  expect(outcome(await logIn(browser, '/login/oidc?organization=other'))).toEqual(IN)
  expect(await me(browser)).toMatchObject({ organization: { id: 'other' } })
  expect(outcome(await logIn(browserAt(), '/login/oidc?organization=nowhere'))).toEqual(refusedAs('unknown'))
  // the organization is part of what the state stands for
  const forged = browserAt()
  const back = await atProvider(await begin(forged, '/login/oidc?organization=acme'))
  forged.cookies.set('hopper_oidc', forged.cookies.get('hopper_oidc')!.replace('.acme', '.other'))
  expect(outcome(await open(forged, back))).toEqual(refusedAs('stale'))
})

test('an address that another organization has bound to another account does not matter here', async () => {
  provider.accounts.set('foreign', { email: ann.email, email_verified: true })
  await installation.invite({ id: ann.id, email: ann.email }, otherAdmin)
  provider.account = 'foreign'
  expect(outcome(await logIn(browserAt(), '/login/oidc?organization=other'))).toEqual(IN)
  provider.account = ann.subject
  const browser = browserAt()
  expect(outcome(await logIn(browser))).toEqual(IN)
  expect(await me(browser)).toMatchObject({ organization: { id: 'acme' } })
})

test('the name of an organization cannot add markup to the page of choices', async () => {
  const { registry } = hopper.storage
  await registry.organizations.put('', 'other', { id: 'other', name: '<img src=x onerror="alert(1)">&' })
  await installation.invite({ id: ann.id, email: ann.email }, otherAdmin)
  const { body } = await logIn(browserAt())
  expect(body).toContain('&#60;img src=x onerror=&#34;alert(1)&#34;&#62;&#38;')
  expect(body).not.toContain('<img')
  await registry.organizations.put('', 'other', { id: 'other', name: 'Other' })
})

test('two members of an organization cannot have one address, and only admins set one', async () => {
  const { id } = ann
  const second = { id: `${id}-2`, name: 'Second', role: 'viewer' }
  const send = (
    method: 'POST' | 'PATCH',
    path: string,
    body: object,
    headers = admin,
  ): ReturnType<typeof hopper.send> => hopper.send(method, `/api/v1/members${path}`, body, headers)
  expect(await send('POST', '', { ...second, email: ann.email.toUpperCase() })).toMatchObject({
    status: 409,
    body: { error: { code: 'HOP_CONFLICT' } },
  })
  expect((await send('POST', '', second)).status).toBe(201)
  expect((await send('PATCH', `/${second.id}`, { email: ann.email })).status).toBe(409)
  for (const email of ['ann', 'Ann <a@b>', 'a@b\r\nc', '', 'ännchen@shop.example'])
    expect([email, (await send('PATCH', `/${id}`, { email })).status]).toEqual([email, 400])
  const browser = browserAt()
  await logIn(browser)
  const csrf = browser.cookies.get('hopper_csrf')!
  const headers = { cookie: `hopper_session=${browser.cookies.get('hopper_session')}`, 'x-hopper-csrf': csrf }
  for (const path of ['/me', `/${id}`])
    expect((await hopper.send('PATCH', `/api/v1/members${path}`, { email: 'x@y.example' }, headers)).status).toBeOneOf([
      400, 403,
    ])
})

test('an admin cannot name an address for an owner, which would be a way to become one', async () => {
  const { registry } = hopper.storage
  await registry.members.put('acme', 'boss', { id: 'boss', organization: 'acme', name: 'Boss', role: 'owner' })
  await installation.change(ann.id, { role: 'admin' })
  const browser = browserAt()
  await logIn(browser)
  const headers = {
    cookie: `hopper_session=${browser.cookies.get('hopper_session')}`,
    'x-hopper-csrf': browser.cookies.get('hopper_csrf')!,
  }
  const answer = await hopper.send('PATCH', '/api/v1/members/boss', { email: 'evil@shop.example' }, headers)
  expect(answer).toMatchObject({ status: 403, body: { error: { code: 'HOP_ROLE' } } })
})

test('the provider answers for the second factor: Hopper does not ask for its own code', async () => {
  const password = 'seven green kettles 4711'
  await installation.change(ann.id, { password })
  const login = await hopper.send('POST', '/api/v1/login', { member: ann.id, password })
  const cookies = (login.headers['set-cookie'] as string[]).map((cookie) => cookie.split(';')[0]!)
  const session = { cookie: cookies.join('; '), 'x-hopper-csrf': cookies[1]!.slice('hopper_csrf='.length) }
  const { uri } = (await hopper.send('POST', '/api/v1/me/second-factor', { current_password: password }, session))
    .body as { uri: string }
  const code = (URI.parse(uri) as TOTP).generate({ timestamp: hopper.clock })
  expect((await hopper.send('PUT', '/api/v1/me/second-factor', { code }, session)).status).toBe(200)
  expect((await hopper.send('POST', '/api/v1/login', { member: ann.id, password })).status).toBe(401)
  expect(outcome(await logIn(browserAt()))).toEqual(IN)
})

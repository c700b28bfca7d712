import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  atProvider,
  begin,
  browserOf,
  CALLBACK,
  cookieHeader,
  IN,
  keep,
  me,
  open,
  outcome,
  type Answer,
  type Browser,
} from '../../testing/provider-browser.fixture.ts'
import { apiOver } from '../../testing/installation.fixture.ts'
import { openIdProvider } from '../../testing/openid-provider.fixture.ts'
import { openProviderInstallation, type ProviderInstallation } from '../../testing/provider-installation.fixture.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let installation: ProviderInstallation
beforeAll(async () => void (installation = await openProviderInstallation()))
afterAll(() => installation.close())

async function logOut(browser: Browser): Promise<Answer> {
  const answer = await browser.app.inject({
    method: 'POST',
    url: '/api/v1/logout',
    headers: { ...cookieHeader(browser.cookies), 'x-hopper-csrf': browser.cookies.get('hopper_csrf') ?? '' },
  })
  for (const set of [answer.headers['set-cookie'] ?? []].flat()) keep(browser.cookies, set)
  return answer
}

/** Opens the logout page of the provider, and presses its button. */
async function endSession(url: string, cookies: Map<string, string>): Promise<number> {
  const page = await fetch(url, { headers: cookieHeader(cookies) })
  for (const set of page.headers.getSetCookie()) keep(cookies, set)
  const html = await page.text()
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(html)?.[1]
  const action = /action="([^"]+)"/.exec(html)?.[1]
  expect([page.status, xsrf, action]).toEqual([200, expect.any(String), expect.any(String)])
  const body = new URLSearchParams({ xsrf: xsrf!, logout: 'yes' })
  const done = await fetch(action!, { method: 'POST', body, headers: cookieHeader(cookies), redirect: 'manual' })
  for (const set of done.headers.getSetCookie()) keep(cookies, set)
  return done.status
}

const interactions = (): number => installation.provider.requests.filter((path) => path.startsWith('/inter')).length

test('a logout leads to the logout page of the provider, and the next login asks again', async () => {
  await installation.newPerson()
  const [browser, cookies] = [browserOf(installation.hopper.app), new Map<string, string>()]
  expect(outcome(await open(browser, await atProvider(await begin(browser), cookies)))).toEqual(IN)
  const asked = interactions()
  // the control: while the session at the provider lasts, nobody is asked
  expect(outcome(await open(browser, await atProvider(await begin(browser), cookies)))).toEqual(IN)
  expect(interactions()).toBe(asked)

  const answer = await logOut(browser)
  expect(answer.statusCode).toBe(200)
  const { provider_logout_url: url } = answer.json<{ provider_logout_url: string }>()
  const { origin, searchParams } = new URL(url)
  expect([origin, [...searchParams.keys()].sort()]).toEqual([
    installation.provider.issuer,
    ['client_id', 'id_token_hint'],
  ])
  expect(await me(browser)).toBe(401)
  expect(await endSession(url, cookies)).toBeLessThan(400)
  expect(outcome(await open(browser, await atProvider(await begin(browser), cookies)))).toEqual(IN)
  expect(interactions()).toBeGreaterThan(asked)
})

test('the token is kept in the browser alone, for the logout alone', async () => {
  const { id } = await installation.newPerson()
  const browser = browserOf(installation.hopper.app)
  const answer = await open(browser, await atProvider(await begin(browser)))
  const set = [answer.headers['set-cookie']!].flat().find((cookie) => cookie.startsWith('hopper_id_token='))!
  expect(set).toMatch(/^hopper_id_token=[\w.-]+; HttpOnly; Max-Age=2592000; Path=\/api\/v1\/logout; SameSite=Strict$/)
  const token = browser.cookies.get('hopper_id_token')!
  const { registry } = installation.hopper.storage
  const stored = [await registry.logins.list(''), await registry.providerLinks.get('acme', id)]
  expect(JSON.stringify(stored)).not.toContain(token)
  expect(installation.log.join()).not.toContain(token)
})

test('a login by password leaves no token of an earlier login by the provider, which a logout would send', async () => {
  const { id } = await installation.newPerson()
  const browser = browserOf(installation.hopper.app)
  expect(outcome(await open(browser, await atProvider(await begin(browser))))).toEqual(IN)
  const password = 'seven green kettles 4711'
  await installation.change(id, { password })
  // the control: with the token, a logout leads to the provider
  expect(browser.cookies.get('hopper_id_token')).toMatch(/./)
  const answer = await browser.app.inject({
    method: 'POST',
    url: '/api/v1/login',
    remoteAddress: browser.address,
    payload: { member: id, password },
  })
  for (const set of [answer.headers['set-cookie'] ?? []].flat()) keep(browser.cookies, set)
  expect([answer.statusCode, browser.cookies.get('hopper_id_token')]).toEqual([200, undefined])
  expect([(await logOut(browser)).statusCode, await me(browser)]).toEqual([204, 401])
})

test('a provider that is down, or has no logout page, keeps nobody logged in', async () => {
  const own = await openIdProvider({ redirectUri: CALLBACK, hasLogout: false })
  await installation.newPerson()
  own.accounts.set('plain', { email: 'plain@shop.example', email_verified: true })
  own.account = 'plain'
  await installation.invite({ id: 'plain', email: 'plain@shop.example' })
  const { storage } = installation.hopper
  const app = await apiOver(storage, { oidc: { ...installation.oidc, issuer: own.issuer } })
  const browser = browserOf(app)
  expect(outcome(await open(browser, await atProvider(await begin(browser))))).toEqual(IN)
  expect([(await logOut(browser)).statusCode, await me(browser)]).toEqual([204, 401])
  await app.close()
  await own.stop()

  const down = browserOf(installation.hopper.app)
  const { hopper } = installation
  const fresh = await apiOver(storage, { oidc: installation.oidc, clock: () => hopper.clock })
  expect(outcome(await open(down, await atProvider(await begin(down))))).toEqual(IN)
  await installation.provider.stop()
  // a process that has not read the description of the provider yet
  const elsewhere = { ...down, app: fresh }
  expect([(await logOut(elsewhere)).statusCode, await me(elsewhere)]).toEqual([204, 401])
  await installation.provider.start()
  await fresh.close()
})

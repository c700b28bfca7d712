import { URI, type TOTP } from 'otpauth'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { openEmbedded } from '@hopper/storage/embedded'
import { createLoginLink } from '../index.ts'
import { apiOver, keys, openInstallation, type Installation } from '../testing/installation.fixture.ts'

// password hashing is slow on purpose
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const PERIOD_MS = 30_000
const PASSWORD = 'correct horse 4711 battery'
const path = '/api/v1/me/second-factor'
const admin = { authorization: `Bearer ${keys.admin}` }

let hopper: Installation
let members = 0
let member: string
let session: Record<string, string>

beforeAll(async () => void (hopper = await openInstallation(openEmbedded)))
afterAll(() => hopper.close())
beforeEach(async () => {
  member = `member-${members++}`
  const body = { id: member, name: member, role: 'viewer', password: PASSWORD }
  expect((await hopper.send('POST', '/api/v1/members', body, admin)).status).toBe(201)
  session = headersOf(await logIn())
})

type Answer = Awaited<ReturnType<Installation['send']>>

const logIn = (code?: string, password = PASSWORD): Promise<Answer> =>
  hopper.send('POST', '/api/v1/login', { member, password, ...(code === undefined ? {} : { code }) })
const outcome = ({ status, body }: Answer): unknown => [
  status,
  (body as { error?: { code: string } } | undefined)?.error?.code,
]

function headersOf({ status, headers }: Answer): Record<string, string> {
  expect(status).toBeLessThan(400)
  const cookies = (headers['set-cookie'] as string[]).map((cookie) => cookie.split(';')[0]!)
  return {
    cookie: cookies.join('; '),
    'x-hopper-csrf': cookies.find((cookie) => cookie.startsWith('hopper_csrf='))!.slice(12),
  }
}

/** Turns the second factor on; returns what an authenticator shows now and in later periods, and the recovery codes. */
async function turnOn(): Promise<{ codeAt: (periods: number) => string; recovery: string[]; secret: string }> {
  const begun = await hopper.send('POST', path, { current_password: PASSWORD }, session)
  expect(begun.status).toBe(200)
  const { secret, uri } = begun.body as { secret: string; uri: string }
  const totp = URI.parse(uri) as TOTP
  const codeAt = (periods: number): string => totp.generate({ timestamp: hopper.clock + periods * PERIOD_MS })
  const confirmed = await hopper.send('PUT', path, { code: codeAt(0) }, session)
  expect(confirmed.status).toBe(200)
  return { codeAt, recovery: (confirmed.body as { recovery_codes: string[] }).recovery_codes, secret }
}

test('a login needs a code once the first one was sent, and each code works once', async () => {
  expect(outcome(await hopper.send('POST', path, {}, session))).toEqual([401, 'HOP_LOGIN_FAILED'])
  const { codeAt } = await turnOn()
  expect((await hopper.get(path, session)).body).toEqual({ on: true, recovery_codes_left: 10 })
  expect(outcome(await logIn())).toEqual([401, 'HOP_SECOND_FACTOR'])
  expect(outcome(await logIn(codeAt(0)))).toEqual([401, 'HOP_SECOND_FACTOR'])
  expect(outcome(await logIn(codeAt(5)))).toEqual([401, 'HOP_SECOND_FACTOR'])
  expect(outcome(await logIn(codeAt(1), 'wrong password'))).toEqual([401, 'HOP_LOGIN_FAILED'])
  const next = codeAt(1)
  expect((await logIn(`${next.slice(0, 3)} ${next.slice(3)}`)).status).toBe(200)
  expect(outcome(await logIn(next))).toEqual([401, 'HOP_SECOND_FACTOR'])
})

test('when two processes receive the same code, only one login succeeds', async () => {
  const { codeAt } = await turnOn()
  const other = await apiOver(hopper.storage, { clock: () => hopper.clock })
  const code = codeAt(1)
  const atOther = async (): Promise<number> => {
    const answer = await other.inject({
      method: 'POST',
      url: '/api/v1/login',
      payload: { member, password: PASSWORD, code },
    })
    return answer.statusCode
  }
  const here = async (): Promise<number> => (await logIn(code)).status
  const statuses = await Promise.all([here(), atOther(), here(), atOther()])
  expect(statuses.sort()).toEqual([200, 401, 401, 401])
  await other.close()
})

test('a recovery code replaces the authenticator once', async () => {
  const { recovery } = await turnOn()
  expect(recovery).toHaveLength(10)
  expect((await logIn(recovery[3]!.toUpperCase())).status).toBe(200)
  expect(outcome(await logIn(recovery[3]))).toEqual([401, 'HOP_SECOND_FACTOR'])
  expect((await hopper.get(path, session)).body).toEqual({ on: true, recovery_codes_left: 9 })
})

test('a login link asks for the code too, and is not used up without one', async () => {
  const { codeAt } = await turnOn()
  const link = await createLoginLink({
    registry: hopper.storage.registry,
    organization: 'acme',
    member,
    publicUrl: 'http://127.0.0.1:8080',
    now: hopper.clock,
  })
  const token = new URL(link).searchParams.get('token')
  const page = await hopper.send('POST', '/login', { token }, { accept: 'text/html' })
  expect([page.status, page.text]).toEqual([401, expect.stringContaining('name="code"')])
  expect(page.text).toContain(`value="${token}"`)
  expect((await hopper.send('POST', '/login', { token, code: codeAt(1) })).status).toBe(303)
  expect(outcome(await hopper.send('POST', '/login', { token, code: codeAt(1) }))).toEqual([401, 'HOP_LOGIN_FAILED'])
})

test('turning it on ends the other sessions, and turning it off needs a code', async () => {
  const other = headersOf(await logIn())
  const { codeAt } = await turnOn()
  expect((await hopper.get('/api/v1/me', other)).status).toBe(401)
  expect((await hopper.get('/api/v1/me', session)).status).toBe(200)
  expect(outcome(await hopper.send('POST', path, { current_password: PASSWORD }, session))).toEqual([
    409,
    'HOP_CONFLICT',
  ])
  expect(outcome(await hopper.send('DELETE', path, { code: '000000' }, session))).toEqual([401, 'HOP_SECOND_FACTOR'])
  expect((await hopper.send('DELETE', path, { code: codeAt(1) }, session)).status).toBe(204)
  expect((await hopper.get(path, session)).body).toEqual({ on: false, recovery_codes_left: 0 })
  expect((await logIn()).status).toBe(200)
})

test('an admin resets the second factor of a member who has lost it; a viewer does not', async () => {
  await turnOn()
  const reset = `/api/v1/members/${member}/second-factor`
  const listed = async (): Promise<unknown> => {
    const { members: all } = (await hopper.get('/api/v1/members', admin)).body as { members: { id: string }[] }
    return all.find(({ id }) => id === member)
  }
  expect(await listed()).toMatchObject({ second_factor: true })
  expect(outcome(await hopper.send('DELETE', reset, undefined, session))).toEqual([403, 'HOP_ROLE'])
  const foreign = { authorization: `Bearer ${keys.otherAdmin}` }
  expect(outcome(await hopper.send('DELETE', reset, undefined, foreign))).toEqual([404, 'HOP_NOT_FOUND'])
  expect((await hopper.send('DELETE', reset, undefined, admin)).status).toBe(204)
  expect(await listed()).toMatchObject({ second_factor: false })
  expect((await logIn()).status).toBe(200)
})

test('codes cannot be guessed, even with the password and from many addresses', async () => {
  const { codeAt } = await turnOn()
  const statuses: number[] = []
  for (let guess = 0; guess < 25; guess++) {
    const payload = { member, password: PASSWORD, code: String(guess).padStart(6, '9') }
    const remoteAddress = `203.0.113.${guess}`
    statuses.push(
      (await hopper.app.inject({ method: 'POST', url: '/api/v1/login', payload, remoteAddress })).statusCode,
    )
  }
  expect(statuses.filter((status) => status === 401)).toHaveLength(20)
  expect(statuses.filter((status) => status === 429)).toHaveLength(5)
  hopper.clock += 15 * 60_000
  expect((await logIn(codeAt(0))).status).toBe(200)
})

test('no stored record is enough to compute codes', async () => {
  const { secret, recovery } = await turnOn()
  const { secondFactors, recoveryCodes } = hopper.storage.registry
  const records = JSON.stringify([await secondFactors.list(), await recoveryCodes.list()])
  expect(records).toContain(member)
  for (const text of [secret, ...recovery]) expect(records.toLowerCase()).not.toContain(text.toLowerCase())
})

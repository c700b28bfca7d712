import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { expect } from 'vitest'

/** Address at which the browser of these tests reaches Hopper. */
export const PUBLIC_URL = 'http://127.0.0.1:8080'
export const CALLBACK = `${PUBLIC_URL}/login/oidc/callback`
/** headers of a person, as opposed to a program */
export const html = { accept: 'text/html' }

/** A browser of the test: its address, and what it keeps of Hopper. */
export interface Browser {
  readonly app: NestFastifyApplication
  readonly address: string
  readonly cookies: Map<string, string>
}
export type Answer = Awaited<ReturnType<NestFastifyApplication['inject']>>

let addresses = 0

/** Returns a browser without cookies, at an address of its own. */
export function browserOf(app: NestFastifyApplication): Browser {
  return { app, address: `203.0.113.${addresses++ % 256}`, cookies: new Map() }
}

export async function open(
  browser: Browser,
  url: string,
  headers: Readonly<Record<string, string>> = html,
): Promise<Answer> {
  const answer = await browser.app.inject({
    url: url.replace(PUBLIC_URL, ''),
    remoteAddress: browser.address,
    headers: { ...headers, ...cookieHeader(browser.cookies) },
  })
  for (const set of [answer.headers['set-cookie'] ?? []].flat()) keep(browser.cookies, set)
  return answer
}

/** Begins a login; returns the address of the provider. */
export async function begin(browser: Browser, path = '/login/oidc'): Promise<URL> {
  const { statusCode, headers, body } = await open(browser, path)
  expect([statusCode, body]).toEqual([302, ''])
  expect(headers['location']).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/auth\?/)
  return new URL(headers['location']!)
}

/**
 * Logs in at the provider like a browser that has these cookies of the provider, by default none, so no session there.
 * Returns the address of Hopper to which the provider redirects at the end.
 */
export async function atProvider(url: URL, cookies = new Map<string, string>()): Promise<string> {
  let next = url.href
  for (let hops = 0; hops < 10; hops++) {
    const answer = await fetch(next, { redirect: 'manual', headers: cookieHeader(cookies) })
    for (const set of answer.headers.getSetCookie()) keep(cookies, set)
    const location = answer.headers.get('location')
    if (location === null) throw new Error(`${answer.status} of ${next}: ${(await answer.text()).slice(0, 500)}`)
    next = new URL(location, next).href
    if (next.startsWith(PUBLIC_URL)) return next
  }
  throw new Error('too many redirects')
}

export async function logIn(browser: Browser, path?: string): Promise<Answer> {
  return open(browser, await atProvider(await begin(browser, path)))
}

/** Returns who is logged in, or the status if nobody is. */
export async function me(browser: Browser): Promise<object | number> {
  const answer = await open(browser, '/api/v1/me', {})
  return answer.statusCode === 200 ? answer.json<object>() : answer.statusCode
}

/** Returns the status of an answer and the address that it redirects to. */
export const outcome = ({ statusCode, headers }: Answer): unknown[] => [statusCode, headers['location']]
/** The outcome of a login that succeeded. */
export const IN = [303, '/']
export const refusedAs = (fault: string): unknown[] => [303, `/?login=${fault}`]

export function cookieHeader(cookies: ReadonlyMap<string, string>): Record<string, string> {
  if (cookies.size === 0) return {}
  return { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
}

export function keep(cookies: Map<string, string>, set: string): void {
  const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)!
  if (set.includes('Max-Age=0')) cookies.delete(name!)
  else cookies.set(name!, value!)
}

import type { FastifyReply, FastifyRequest } from 'fastify'

const SESSION = 'hopper_session'
const CSRF = 'hopper_csrf'
const ATTEMPT = 'hopper_oidc'
const SHARED = 'hopper_share_'
const ID_TOKEN = 'hopper_id_token'
/** Path of the only call that needs the token: browsers send it with no other request. */
const ID_TOKEN_PATH = '/api/v1/logout'
/** Browsers keep cookies of 4,096 bytes. */
const ID_TOKEN_CHARS_MAX = 3_500

/**
 * Returns the name of a cookie. With https it has the prefix that browsers only accept from this host over TLS
 * (RFC 6265bis), so that neither another subdomain nor a page over http can set one.
 */
function named(name: string, secure: boolean): string {
  return secure ? `__Host-${name}` : name
}

/** Returns the token of the login in this browser; undefined without one. */
export function sessionCookie(request: FastifyRequest, secure: boolean): string | undefined {
  return cookieOf(request, named(SESSION, secure))
}

/** Returns the login at the OpenID provider that this browser has begun. */
export function attemptCookie(request: FastifyRequest, secure: boolean): string | undefined {
  return cookieOf(request, named(ATTEMPT, secure))
}

/**
 * Notes a login at the OpenID provider in the browser that has begun it. Lax, since the provider, another site, leads
 * the browser back.
 */
export function setAttemptCookie(reply: FastifyReply, value: string, maxAgeSeconds: number, secure: boolean): void {
  const end = `HttpOnly; Max-Age=${maxAgeSeconds}; Path=/; SameSite=Lax${secure ? '; Secure' : ''}`
  void reply.header('set-cookie', `${named(ATTEMPT, secure)}=${value}; ${end}`)
}

/** Removes the attempt to log in; `secure` must be as when it was set, since it is part of the cookie's name. */
export function clearAttemptCookie(reply: FastifyReply, secure: boolean): void {
  setAttemptCookie(reply, '', 0, secure)
}

/**
 * Returns the token by which the provider recognizes the session that a logout ends; empty if it was too long to keep,
 * undefined after a login of another kind.
 */
export function idTokenCookie(request: FastifyRequest, secure: boolean): string | undefined {
  return cookieOf(request, idTokenName(secure))
}

/** Keeps the token in the browser: Hopper itself stores none. Its characters need no escaping. */
export function setIdTokenCookie(reply: FastifyReply, token: string, maxAgeSeconds: number, secure: boolean): void {
  const value = token.length > ID_TOKEN_CHARS_MAX ? '' : token
  const end = `HttpOnly; Max-Age=${maxAgeSeconds}; Path=${ID_TOKEN_PATH}; SameSite=Strict${secure ? '; Secure' : ''}`
  void reply.header('set-cookie', `${idTokenName(secure)}=${value}; ${end}`)
}

export function clearIdTokenCookie(reply: FastifyReply, secure: boolean): void {
  setIdTokenCookie(reply, '', 0, secure)
}

/** `__Host-` would need the path of the whole host. */
function idTokenName(secure: boolean): string {
  return secure ? `__Secure-${ID_TOKEN}` : ID_TOKEN
}

/** Returns the session of a shared link in this browser. */
export function sharedCookie(request: FastifyRequest, link: string, secure: boolean): string | undefined {
  return cookieOf(request, named(SHARED + link, secure))
}

/** Strict, since only the page of the link itself makes calls with it. */
export function setSharedCookie(
  reply: FastifyReply,
  link: string,
  session: { readonly token: string; readonly maxAgeSeconds: number },
  secure: boolean,
): void {
  const end = `HttpOnly; Max-Age=${session.maxAgeSeconds}; Path=/; SameSite=Strict${secure ? '; Secure' : ''}`
  void reply.header('set-cookie', `${named(SHARED + link, secure)}=${session.token}; ${end}`)
}

function cookieOf(request: FastifyRequest, name: string): string | undefined {
  const start = `${name}=`
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(start))?.slice(start.length)
}

/**
 * Sets the cookies of a login. They are Lax, not Strict: a member follows the login link from a mail or a chat, and the
 * redirect after it must carry the cookie. The dashboard's script reads the CSRF cookie but can never read the session
 * cookie. Values are base64url, so they need no escaping.
 */
export function setLoginCookies(
  reply: FastifyReply,
  login: { token: string; csrf: string; maxAgeSeconds: number },
  secure: boolean,
): void {
  const end = `Max-Age=${login.maxAgeSeconds}; Path=/; SameSite=Lax${secure ? '; Secure' : ''}`
  void reply.header('set-cookie', [
    `${named(SESSION, secure)}=${login.token}; HttpOnly; ${end}`,
    `${named(CSRF, secure)}=${login.csrf}; ${end}`,
  ])
}

export function clearLoginCookies(reply: FastifyReply, secure: boolean): void {
  setLoginCookies(reply, { token: '', csrf: '', maxAgeSeconds: 0 }, secure)
}

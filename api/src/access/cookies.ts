import type { FastifyReply, FastifyRequest } from 'fastify'

const SESSION = 'hopper_session'
const CSRF = 'hopper_csrf'

/**
 * Returns the name of a cookie. With https it has the prefix that browsers only accept from this host over TLS
 * (RFC 6265bis), so that neither another subdomain nor a page over http can set one.
 */
function named(name: string, secure: boolean): string {
  return secure ? `__Host-${name}` : name
}

export function sessionCookie(request: FastifyRequest, secure: boolean): string | undefined {
  const start = `${named(SESSION, secure)}=`
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

import type { FastifyReply, FastifyRequest } from 'fastify'

const SESSION = 'hopper_session'
const CSRF = 'hopper_csrf'

export function sessionCookie(request: FastifyRequest): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(`${SESSION}=`))?.slice(SESSION.length + 1)
}

/**
 * Lax, not Strict: the link that logs a member in is followed from a mail or a chat, and the redirect after it must
 * carry the cookie. The CSRF cookie is read by the dashboard's script, the session never. Values are base64url: nothing
 * to escape.
 */
export function setLoginCookies(
  reply: FastifyReply,
  login: { token: string; csrf: string; maxAgeSeconds: number },
  secure: boolean,
): void {
  const end = `Max-Age=${login.maxAgeSeconds}; Path=/; SameSite=Lax${secure ? '; Secure' : ''}`
  void reply.header('set-cookie', [`${SESSION}=${login.token}; HttpOnly; ${end}`, `${CSRF}=${login.csrf}; ${end}`])
}

export function clearLoginCookies(reply: FastifyReply, secure: boolean): void {
  setLoginCookies(reply, { token: '', csrf: '', maxAgeSeconds: 0 }, secure)
}

import cookie from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

const SESSION = 'hopper_session'
const CSRF = 'hopper_csrf'

export function sessionCookie(request: FastifyRequest): string | undefined {
  const header = request.headers.cookie
  return header === undefined ? undefined : cookie.parse(header)[SESSION]
}

/**
 * Lax, not Strict: the link that logs a member in is followed from a mail or a chat, and the redirect after it must carry the cookie.
 * The CSRF cookie is read by the dashboard's script, the session never.
 */
export function setLoginCookies(reply: FastifyReply, login: { token: string; csrf: string; maxAgeSeconds: number }, secure: boolean): void {
  const options = { path: '/', sameSite: 'lax', secure, maxAge: login.maxAgeSeconds } as const
  const cookies = [cookie.serialize(SESSION, login.token, { ...options, httpOnly: true }), cookie.serialize(CSRF, login.csrf, options)]
  void reply.header('set-cookie', cookies)
}

export function clearLoginCookies(reply: FastifyReply, secure: boolean): void {
  setLoginCookies(reply, { token: '', csrf: '', maxAgeSeconds: 0 }, secure)
}

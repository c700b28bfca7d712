import { Controller, Inject, Param, Req, Res } from '@nestjs/common'
import { HopperError, LoggedOut, Me } from '@hopper/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { MemberCaller } from '../../access/caller.ts'
import { clearIdTokenCookie, clearLoginCookies, idTokenCookie, setLoginCookies } from '../../access/cookies.ts'
import { OidcProvider } from '../../access/provider/oidc-provider.ts'
import { LoginBody, LoginLinkBody, Sessions } from '../../answers/administration.ts'
import { Endpoint } from '../../http/call.ts'
import { checkSameOrigin } from '../../http/same-origin.ts'
import { ValidQuery, ValidBody, CurrentCaller } from '../../http/parameters.ts'
import { LoginService, type NewLogin } from '../../services/administration/login.service.ts'
import { PUBLIC_URL } from '../../tokens.ts'

const LinkParameters = Type.Object({ token: Type.Optional(Type.String({ maxLength: 200 })) })
const TOKEN = /^[\w-]{1,200}$/

/** A page without scripts or styles, whatever else fails. The token is base64url, so it needs no escaping. */
const pageWith = (token: string, fields = '<p>This link logs you in once.</p>'): string =>
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Log in to Hopper</title>' +
  '<meta name="viewport" content="width=device-width, initial-scale=1">' +
  `<form method="post" action="/login">${fields}` +
  `<input type="hidden" name="token" value="${token}"><button autofocus>Log in to Hopper</button></form></html>\n`

const codeFields =
  '<p><label>Current code of your authenticator, or a recovery code ' +
  '<input name="code" autocomplete="one-time-code" maxlength="40" required></label></p>'

@Controller()
export class LoginController {
  private readonly logins: LoginService
  private readonly provider: OidcProvider
  private readonly secure: boolean

  constructor(
    @Inject(LoginService) logins: LoginService,
    @Inject(OidcProvider) provider: OidcProvider,
    @Inject(PUBLIC_URL) publicUrl: string,
  ) {
    this.logins = logins
    this.provider = provider
    this.secure = publicUrl.startsWith('https:')
  }

  @Endpoint('POST', 'api/v1/login', {
    summary: 'Log in with a password',
    need: 'nothing',
    body: LoginBody,
    answer: Me,
    status: 200,
  })
  async login(
    @ValidBody() body: LoginBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Me> {
    const login = await this.logins.byPassword(body, request.ip)
    this.keep(login, reply)
    return login.me
  }

  @Endpoint('GET', 'login', {
    summary: 'The page of a login link: its button logs in',
    note: 'Opening the link changes nothing: programs that scan e-mails open links too.',
    need: 'nothing',
    lenient: true,
    query: LinkParameters,
    media: ['text/html'],
    status: 200,
  })
  page(@ValidQuery() { token }: { token?: string }, @Res() reply: FastifyReply): void {
    if (token === undefined || !TOKEN.test(token))
      return void reply.redirect(token === undefined ? '/' : '/?login=expired', 302)
    void reply.type('text/html; charset=utf-8').send(pageWith(token))
  }

  @Endpoint('POST', 'login', {
    summary: 'Log in with the token of a login link, once: sets the cookie and redirects to the dashboard',
    note: 'The page of the link sends it as a form.',
    need: 'nothing',
    body: LoginLinkBody,
    status: 303,
  })
  async follow(
    @ValidBody() { token, code }: LoginLinkBody,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    checkSameOrigin(request)
    let login: NewLogin
    try {
      login = await this.logins.byLink(token, code, request.ip)
    } catch (error) {
      const acceptsHtml = (request.headers.accept ?? '').includes('text/html')
      if (!acceptsHtml || !(error instanceof HopperError)) throw error
      if (error.code === 'HOP_SECOND_FACTOR')
        return void reply.code(error.status).type('text/html; charset=utf-8').send(pageWith(token, codeFields))
      return void reply.redirect('/?login=expired', 303)
    }
    this.keep(login, reply)
    void reply.redirect('/', 303)
  }

  @Endpoint('POST', 'api/v1/logout', {
    summary: 'Log out',
    note: 'After a login by an OpenID provider that has a logout page, the answer is the address of that page.',
    need: 'login',
    beforePassword: true,
    answer: LoggedOut,
    status: 200,
    empty: { status: 204, meaning: 'logged out, and there is no session at a provider to end' },
  })
  async logout(
    @CurrentCaller() caller: MemberCaller,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LoggedOut | undefined> {
    await this.logins.end(caller)
    clearLoginCookies(reply, this.secure)
    const idToken = idTokenCookie(request, this.secure)
    if (idToken !== undefined) clearIdTokenCookie(reply, this.secure)
    const url = idToken === undefined ? undefined : await this.provider.endSessionUrl(idToken)
    if (url !== undefined) return { provider_logout_url: url }
    void reply.code(204)
    return undefined
  }

  @Endpoint('GET', 'api/v1/me/sessions', { summary: 'Your sessions', need: 'login', answer: Sessions })
  async sessions(@CurrentCaller() caller: MemberCaller): Promise<Sessions> {
    return { sessions: await this.logins.sessions(caller) }
  }

  @Endpoint('DELETE', 'api/v1/me/sessions/:session', { summary: 'End one of your sessions, at once', need: 'login' })
  endSession(@CurrentCaller() caller: MemberCaller, @Param('session') id: string): Promise<void> {
    return this.logins.endSession(caller, id)
  }

  @Endpoint('GET', 'api/v1/me', { summary: 'Who is logged in', need: 'login', beforePassword: true, answer: Me })
  me(@CurrentCaller() caller: MemberCaller): Promise<Me> {
    return this.logins.me(caller)
  }

  @Endpoint('POST', 'api/v1/me', {
    summary: 'Who is logged in',
    need: 'login',
    beforePassword: true,
    answer: Me,
    status: 200,
  })
  postMe(@CurrentCaller() caller: MemberCaller): Promise<Me> {
    return this.logins.me(caller)
  }

  /** Keeps a login in the browser, without the token of an earlier one by the provider, maybe of somebody else. */
  private keep(login: NewLogin, reply: FastifyReply): void {
    setLoginCookies(reply, login, this.secure)
    if (this.provider.name !== undefined) clearIdTokenCookie(reply, this.secure)
  }
}

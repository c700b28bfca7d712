import { Controller, Inject, Req, Res } from '@nestjs/common'
import { App, LoginWays } from '@hopper/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import {
  attemptCookie,
  clearAttemptCookie,
  setAttemptCookie,
  setIdTokenCookie,
  setLoginCookies,
} from '../../access/cookies.ts'
import { loginFaultOf } from '../../access/provider/provider-refusal.ts'
import { Endpoint } from '../../http/call.ts'
import { ValidQuery } from '../../http/parameters.ts'
import { ProviderLoginService, type ProviderLogin } from '../../services/administration/provider-login.service.ts'
import { PUBLIC_URL } from '../../tokens.ts'

const BeginParameters = Type.Object({ organization: Type.Optional(App.properties.organization) })
const fromProvider = Type.Optional(Type.String({ maxLength: 8_000 }))
const CallbackParameters = Type.Object({
  state: fromProvider,
  code: fromProvider,
  error: fromProvider,
  iss: fromProvider,
})

/** A page without scripts or styles. Choosing logs in again: the provider knows the person by now. */
function choicePage(organizations: readonly { readonly id: string; readonly name: string }[]): string {
  const links = organizations.map(
    ({ id, name }) => `<li><a href="/login/oidc?organization=${encodeURIComponent(id)}">${escaped(name)}</a></li>`,
  )
  return (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Log in to Hopper</title>' +
    '<meta name="viewport" content="width=device-width, initial-scale=1">' +
    `<main><h1>Log in to</h1><ul>${links.join('')}</ul></main></html>\n`
  )
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

/** Logins by the OpenID provider: the way there and back, in the address bar of a browser. */
@Controller()
export class ProviderLoginController {
  private readonly logins: ProviderLoginService
  private readonly secure: boolean

  constructor(@Inject(ProviderLoginService) logins: ProviderLoginService, @Inject(PUBLIC_URL) publicUrl: string) {
    this.logins = logins
    this.secure = publicUrl.startsWith('https:')
  }

  @Endpoint('GET', 'api/v1/login', {
    summary: 'How members can log in, besides name and password',
    need: 'nothing',
    answer: LoginWays,
  })
  ways(): LoginWays {
    const { name } = this.logins
    return name === undefined ? {} : { provider: { name } }
  }

  @Endpoint('GET', 'login/oidc', {
    summary: 'Begin a login by the OpenID provider: redirects to it',
    note: 'A link of another site leads to the login page instead.',
    need: 'nothing',
    lenient: true,
    query: BeginParameters,
    status: 302,
  })
  async begin(
    @ValidQuery() { organization }: Static<typeof BeginParameters>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const site = request.headers['sec-fetch-site']
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return void reply.redirect('/', 302)
    try {
      const { attempt, url } = await this.logins.begin(organization, request.ip)
      setAttemptCookie(reply, attempt.cookie, attempt.maxAgeSeconds, this.secure)
      void reply.redirect(url, 302)
    } catch (error) {
      refuse(error, request, reply, 302)
    }
  }

  @Endpoint('GET', 'login/oidc/callback', {
    summary: 'Finish a login by the OpenID provider: sets the cookie and redirects to the dashboard',
    note:
      'The provider leads browsers here. Members of several organizations get a page on which they choose one. ' +
      'A login that fails redirects a browser to the login page, with the reason as the parameter login.',
    need: 'nothing',
    lenient: true,
    query: CallbackParameters,
    media: ['text/html'],
    status: 200,
    empty: { status: 303, meaning: 'logged in, or a browser whose login failed' },
  })
  async finish(
    @ValidQuery() { state = '' }: Static<typeof CallbackParameters>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const cookie = attemptCookie(request, this.secure)
    if (cookie !== undefined) clearAttemptCookie(reply, this.secure)
    const query = new URL(request.url, 'http://hopper').search
    let done: ProviderLogin
    try {
      done = await this.logins.finish(query, state, cookie, request.ip)
    } catch (error) {
      return refuse(error, request, reply, 303)
    }
    if ('organizations' in done) return void reply.type('text/html; charset=utf-8').send(choicePage(done.organizations))
    setLoginCookies(reply, done.login, this.secure)
    setIdTokenCookie(reply, done.idToken, done.login.maxAgeSeconds, this.secure)
    void reply.redirect('/', 303)
  }
}

/** Redirects a person to the login page, which says why; a program gets the error. */
function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply, status: 302 | 303): void {
  const fault = loginFaultOf(error)
  const forAPerson = (request.headers.accept ?? '').includes('text/html')
  if (fault === undefined || !forAPerson) throw error
  void reply.redirect(`/?login=${fault}`, status)
}

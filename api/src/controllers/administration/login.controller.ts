import { Controller, Inject, Req, Res } from '@nestjs/common'
import { HopperError, Me } from '@hopper/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { MemberCaller } from '../../access/caller.ts'
import { clearLoginCookies, setLoginCookies } from '../../access/cookies.ts'
import { LoginBody } from '../../answers/administration.ts'
import { Endpoint } from '../../http/call.ts'
import { ValidQuery, ValidBody, CurrentCaller } from '../../http/parameters.ts'
import { LoginService, type NewLogin } from '../../services/administration/login.service.ts'
import { PUBLIC_URL } from '../../tokens.ts'

const LinkParameters = Type.Object({ token: Type.Optional(Type.String({ maxLength: 200 })) })

@Controller()
export class LoginController {
  private readonly logins: LoginService
  private readonly secure: boolean

  constructor(@Inject(LoginService) logins: LoginService, @Inject(PUBLIC_URL) publicUrl: string) {
    this.logins = logins
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
    setLoginCookies(reply, login, this.secure)
    return login.me
  }

  @Endpoint('GET', 'login', {
    summary: 'Follow a login link: sets the cookie and redirects to the dashboard',
    need: 'nothing',
    lenient: true,
    query: LinkParameters,
    status: 302,
  })
  async follow(
    @ValidQuery() { token }: { token?: string },
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    let login: NewLogin
    try {
      login = await this.logins.byLink(token ?? '')
    } catch (error) {
      const forAPerson = (request.headers.accept ?? '').includes('text/html')
      if (!forAPerson || !(error instanceof HopperError)) throw error
      void reply.redirect(token === undefined ? '/' : '/?login=expired', 302)
      return
    }
    setLoginCookies(reply, login, this.secure)
    void reply.redirect('/', 302)
  }

  @Endpoint('POST', 'api/v1/logout', { summary: 'Log out', need: 'login' })
  async logout(@CurrentCaller() caller: MemberCaller, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    await this.logins.end(caller)
    clearLoginCookies(reply, this.secure)
  }

  @Endpoint('GET', 'api/v1/me', { summary: 'Who is logged in', need: 'login', answer: Me })
  me(@CurrentCaller() caller: MemberCaller): Promise<Me> {
    return this.logins.me(caller)
  }

  @Endpoint('POST', 'api/v1/me', { summary: 'Who is logged in', need: 'login', answer: Me, status: 200 })
  postMe(@CurrentCaller() caller: MemberCaller): Promise<Me> {
    return this.logins.me(caller)
  }
}

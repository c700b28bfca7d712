import { Controller, Inject, Req, Res } from '@nestjs/common'
import {
  CreatedSharedLink,
  HopperError,
  NewSharedLink,
  OpenedLink,
  OpenSharedLink,
  SharedLinks,
  type App,
} from '@hopper/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller, SharedCaller } from '../../access/caller.ts'
import { setSharedCookie } from '../../access/cookies.ts'
import { Endpoint } from '../../http/call.ts'
import type { DashboardFiles } from '../../http/dashboard-files.ts'
import { checkSameOrigin } from '../../http/same-origin.ts'
import { CurrentApp, CurrentCaller, PathPart, ValidBody } from '../../http/parameters.ts'
import { SharedLinksService } from '../../services/administration/shared-links.service.ts'
import { DASHBOARD_FILES, PUBLIC_URL } from '../../tokens.ts'

@Controller()
export class SharedLinksController {
  private readonly links: SharedLinksService
  private readonly dashboard: DashboardFiles | undefined
  private readonly secure: boolean

  constructor(
    @Inject(SharedLinksService) links: SharedLinksService,
    @Inject(DASHBOARD_FILES) dashboard: DashboardFiles | undefined,
    @Inject(PUBLIC_URL) publicUrl: string,
  ) {
    this.links = links
    this.dashboard = dashboard
    this.secure = publicUrl.startsWith('https:')
  }

  @Endpoint('GET', 'api/v1/apps/:app/shared-links', {
    summary: 'The shared links of the app',
    need: 'admin',
    answer: SharedLinks,
  })
  async list(@CurrentApp() app: App): Promise<SharedLinks> {
    return { links: await this.links.list(app) }
  }

  @Endpoint('POST', 'api/v1/apps/:app/shared-links', {
    summary: 'Share one view with everyone who has the link',
    note: 'The link is in the answer, and only there.',
    need: 'admin',
    body: NewSharedLink,
    answer: CreatedSharedLink,
  })
  create(
    @CurrentApp() app: App,
    @ValidBody() link: NewSharedLink,
    @CurrentCaller() caller: Caller,
  ): Promise<CreatedSharedLink> {
    return this.links.create(app, link, caller)
  }

  @Endpoint('DELETE', 'api/v1/apps/:app/shared-links/:link', {
    summary: 'End a shared link, at once',
    need: 'admin',
  })
  end(@CurrentApp() app: App, @PathPart('link') id: string): Promise<void> {
    return this.links.end(app, id)
  }

  @Endpoint('POST', 'api/v1/shared-links/:link/open', {
    summary: 'Open a shared link with the token of its address',
    note:
      'Begins a session of at most 12 hours, in a cookie. ' +
      'Calls with it name the link in the header X-Hopper-Share.',
    need: 'nothing',
    body: OpenSharedLink,
    status: 200,
    answer: OpenedLink,
  })
  async open(
    @PathPart('link') id: string,
    @ValidBody() body: OpenSharedLink,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OpenedLink> {
    checkSameOrigin(request)
    const { opened, ...session } = await this.links.open(id, body, request.ip)
    if (body.in_frame) return { ...opened, session: `${opened.id}.${session.token}` }
    setSharedCookie(reply, opened.id, session, this.secure)
    return opened
  }

  @Endpoint('GET', 'api/v1/shared-view', {
    summary: 'What the shared link shows that was opened',
    need: 'shared',
    answer: OpenedLink,
  })
  opened(@CurrentCaller() caller: SharedCaller): Promise<OpenedLink> {
    return this.links.opened(caller)
  }

  @Endpoint('GET', 'embed/:link', {
    summary: 'The page of a shared link for a frame on the sites that it names',
    note: 'On other sites a browser does not show it.',
    need: 'nothing',
    lenient: true,
    media: ['text/html'],
    status: 200,
  })
  async frame(@PathPart('link') id: string, @Res() reply: FastifyReply): Promise<void> {
    const origins = await this.links.frameOrigins(id)
    if (!this.dashboard) throw new HopperError('HOP_NOT_FOUND', 'This process serves no dashboard.')
    this.dashboard.sendFramedPage(reply, origins)
  }
}

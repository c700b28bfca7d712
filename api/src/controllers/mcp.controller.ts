import { Controller, Inject, Req, Res } from '@nestjs/common'
import { HopperError } from '@hopper/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../access/caller.ts'
import { McpAnswer, McpMessage } from '../answers/mcp.ts'
import { Endpoint } from '../http/call.ts'
import { CurrentCaller, CurrentClient, ValidBody } from '../http/parameters.ts'
import { McpService } from '../mcp/mcp.service.ts'
import type { Client } from '../query/sharing/shared-runs.ts'
import { PUBLIC_URL } from '../tokens.ts'

@Controller('mcp')
export class McpController {
  private readonly service: McpService
  private readonly ownOrigin: string

  constructor(@Inject(McpService) service: McpService, @Inject(PUBLIC_URL) publicUrl: string) {
    this.service = service
    this.ownOrigin = new URL(publicUrl).origin
  }

  @Endpoint('POST', '', {
    summary: 'Model Context Protocol: tools for assistants',
    note:
      'Streamable HTTP without sessions, answered as JSON: one message for each request. The tools ask what the ' +
      'calls of this API ask; see docs/mcp.md.',
    need: 'read',
    status: 200,
    empty: { status: 202, meaning: 'the message is a notification, which has no answer' },
    body: McpMessage,
    answer: McpAnswer,
  })
  async answer(
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller,
    @ValidBody() message: McpMessage,
    @CurrentClient() client: Client,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    this.checkOrigin(request.headers.origin)
    const version = request.headers['mcp-protocol-version']
    const protocolVersion = version === undefined ? undefined : String(version)
    const { status, body } = await this.service.answer({ message, protocolVersion, caller, client })
    if (body === '') void reply.code(status).send()
    else void reply.code(status).type('application/json; charset=utf-8').send(body)
  }

  /**
   * Refuses pages of other origins, as the protocol demands: a page whose host name resolves to this machine (DNS
   * rebinding) could otherwise reach a server that only listens locally.
   */
  private checkOrigin(origin: string | undefined): void {
    if (origin !== undefined && origin !== this.ownOrigin) throw new HopperError('HOP_FOREIGN_ORIGIN')
  }
}

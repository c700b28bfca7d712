import { Controller, Inject } from '@nestjs/common'
import type { Caller, MemberCaller } from '../../access/caller.ts'
import {
  CreatedMember,
  LoginLink,
  MemberPatch,
  Members,
  MemberView,
  NewMember,
  OwnPatch,
} from '../../answers/administration.ts'
import { Endpoint } from '../../http/call.ts'
import { PathPart, ValidBody, CurrentCaller } from '../../http/parameters.ts'
import { MembersService } from '../../services/administration/members.service.ts'

@Controller('api/v1/members')
export class MembersController {
  private readonly members: MembersService

  constructor(@Inject(MembersService) members: MembersService) {
    this.members = members
  }

  @Endpoint('GET', '', { summary: 'The members of the organization', need: 'admin', csv: true, answer: Members })
  async list(@CurrentCaller() caller: Caller): Promise<{ members: MemberView[] }> {
    return { members: await this.members.list(caller) }
  }

  @Endpoint('POST', '', { summary: 'Add a member', need: 'admin', body: NewMember, answer: CreatedMember })
  create(@CurrentCaller() caller: Caller, @ValidBody() member: NewMember): Promise<CreatedMember> {
    return this.members.create(caller, member)
  }

  @Endpoint('PATCH', 'me', {
    summary: 'Change your name or password',
    need: 'login',
    beforePassword: true,
    body: OwnPatch,
    answer: MemberView,
  })
  changeOwn(@CurrentCaller() caller: MemberCaller, @ValidBody() patch: OwnPatch): Promise<MemberView> {
    return this.members.changeOwn(caller, patch)
  }

  @Endpoint('PATCH', ':member', {
    summary: 'Change a member',
    need: 'admin',
    body: MemberPatch,
    answer: MemberView,
  })
  change(
    @CurrentCaller() caller: Caller,
    @PathPart('member') id: string,
    @ValidBody() patch: MemberPatch,
  ): Promise<MemberView> {
    return this.members.change(caller, id, patch)
  }

  @Endpoint('POST', ':member/login-link', {
    summary: 'Create a link that logs the member in once',
    need: 'admin',
    answer: LoginLink,
  })
  async loginLink(@CurrentCaller() caller: Caller, @PathPart('member') id: string): Promise<{ login_link: string }> {
    return { login_link: await this.members.loginLink(caller, id) }
  }

  @Endpoint('DELETE', ':member/second-factor', {
    summary: 'Remove the second factor of a member who has lost it',
    need: 'admin',
  })
  resetSecondFactor(@CurrentCaller() caller: Caller, @PathPart('member') id: string): Promise<void> {
    return this.members.resetSecondFactor(caller, id)
  }

  @Endpoint('DELETE', ':member', { summary: 'Remove a member', need: 'admin' })
  remove(@CurrentCaller() caller: Caller, @PathPart('member') id: string): Promise<void> {
    return this.members.remove(caller, id)
  }
}

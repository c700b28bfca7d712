import { Controller, Inject, Param } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import { PickAnswer, PickerLink, PickerPage, TrackerTag } from '../../answers/installing.ts'
import { Endpoint } from '../../http/call.ts'
import { CurrentApp, ValidBody } from '../../http/parameters.ts'
import { PicksService } from '../../services/administration/picks.service.ts'
import { InstallingService } from '../../services/administration/installing.service.ts'

@Controller('api/v1/apps/:app')
export class InstallingController {
  private readonly installing: InstallingService
  private readonly picks: PicksService

  constructor(@Inject(InstallingService) installing: InstallingService, @Inject(PicksService) picks: PicksService) {
    this.installing = installing
    this.picks = picks
  }

  @Endpoint('GET', 'tag', {
    summary: 'The script tags of the tracker, with a placeholder for the write key',
    need: 'read',
    answer: TrackerTag,
  })
  tag(@CurrentApp() app: App): TrackerTag {
    return this.installing.tag(app)
  }

  @Endpoint('POST', 'picker-links', {
    summary: 'The address at which an element of a page can be picked for ten minutes',
    need: 'admin',
    body: PickerPage,
    answer: PickerLink,
  })
  pickerLink(@CurrentApp() app: App, @ValidBody() { url }: PickerPage): Promise<PickerLink> {
    return this.picks.link(app, url)
  }

  @Endpoint('GET', 'picks/:pick', {
    summary: 'What was picked on the page of a link, once somebody has',
    need: 'admin',
    answer: PickAnswer,
  })
  picked(@CurrentApp() app: App, @Param('pick') pick: string): Promise<PickAnswer> {
    return this.picks.picked(app, pick)
  }
}

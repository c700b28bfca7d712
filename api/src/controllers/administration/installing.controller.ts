import { Controller, Inject } from '@nestjs/common'
import type { App } from '@hopper/contracts'
import { PickerLink, PickerPage, TrackerTag } from '../../answers/installing.ts'
import { Endpoint } from '../../http/call.ts'
import { CurrentApp, ValidBody } from '../../http/parameters.ts'
import { InstallingService } from '../../services/administration/installing.service.ts'

@Controller('api/v1/apps/:app')
export class InstallingController {
  private readonly installing: InstallingService

  constructor(@Inject(InstallingService) installing: InstallingService) {
    this.installing = installing
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
    summary: 'The address at which elements of a page can be picked for ten minutes',
    need: 'admin',
    body: PickerPage,
    answer: PickerLink,
  })
  pickerLink(@CurrentApp() app: App, @ValidBody() { url }: PickerPage): Promise<PickerLink> {
    return this.installing.pickerLink(app, url)
  }
}

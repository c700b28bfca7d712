import { Controller, Inject } from '@nestjs/common'
import { Element, ElementActions, ElementDurations, ElementTwins, type App, SentElement } from '@hopper/contracts'
import { ElementPatch, Elements, ElementKey } from '../../answers/administration.ts'
import { elementsTable } from '../../answers/tables.ts'
import { ElementParameters, ElementsParameters, RangeParameters } from '../../answers/report-parameters.ts'
import { Endpoint } from '../../http/call.ts'
import { ValidQuery, ValidBody, CurrentApp } from '../../http/parameters.ts'
import { ElementReportsService } from '../../services/element-reports.service.ts'
import { ElementTwinsService } from '../../services/element-twins.service.ts'
import { sharedElements } from '../../sharing/shared-calls.ts'
import { ElementsService } from '../../services/administration/elements.service.ts'

/**
 * Endpoints of the interesting elements. The XPath is a parameter because it can be longer than a path segment may be.
 */
@Controller('api/v1/apps/:app/elements')
export class ElementsController {
  private readonly reports: ElementReportsService
  private readonly elements: ElementsService
  private readonly twinsService: ElementTwinsService

  constructor(
    @Inject(ElementReportsService) reports: ElementReportsService,
    @Inject(ElementsService) elements: ElementsService,
    @Inject(ElementTwinsService) twinsService: ElementTwinsService,
  ) {
    this.twinsService = twinsService
    this.reports = reports
    this.elements = elements
  }

  @Endpoint('GET', 'actions', {
    summary: 'Leaves and clicks per element',
    need: 'read',
    csv: true,
    query: ElementsParameters,
    answer: ElementActions,
  })
  actions(@CurrentApp() app: App, @ValidQuery() parameters: ElementsParameters): Promise<ElementActions> {
    return this.reports.actions(app, parameters)
  }

  @Endpoint('GET', 'durations', {
    summary: 'Hover durations before a leave or click',
    need: 'read',
    csv: true,
    query: ElementParameters,
    answer: ElementDurations,
  })
  durations(@CurrentApp() app: App, @ValidQuery() parameters: ElementParameters): Promise<ElementDurations> {
    return this.reports.durations(app, parameters)
  }

  @Endpoint('GET', 'twins', {
    summary: 'Elements that are not clicked any more, with what has probably taken their place',
    note: 'To link them, change the element: `xpath` is the twin, `past_xpaths` has the old one; else use `not_twins`.',
    need: 'read',
    csv: true,
    query: RangeParameters,
    answer: ElementTwins,
  })
  twins(@CurrentApp() app: App, @ValidQuery() parameters: RangeParameters): Promise<ElementTwins> {
    return this.twinsService.twins(app, parameters)
  }

  @Endpoint('GET', '', {
    summary: 'The interesting elements',
    need: 'read',
    csv: elementsTable,
    answer: Elements,
    shared: sharedElements,
  })
  async list(@CurrentApp() app: App): Promise<{ elements: readonly Element[] }> {
    return { elements: await this.elements.list(app) }
  }

  @Endpoint('POST', '', { summary: 'Add an interesting element', need: 'admin', body: SentElement, answer: Element })
  create(@CurrentApp() app: App, @ValidBody() element: Element): Promise<Element> {
    return this.elements.create(app, element)
  }

  @Endpoint('PATCH', '', {
    summary: 'Change an interesting element',
    need: 'admin',
    query: ElementKey,
    body: ElementPatch,
    answer: Element,
  })
  change(
    @CurrentApp() app: App,
    @ValidQuery() { xpath }: { xpath: string },
    @ValidBody() patch: ElementPatch,
  ): Promise<Element> {
    return this.elements.change(app, xpath, patch)
  }

  @Endpoint('DELETE', '', { summary: 'Remove an interesting element', need: 'admin', query: ElementKey })
  remove(@CurrentApp() app: App, @ValidQuery() { xpath }: { xpath: string }): Promise<void> {
    return this.elements.remove(app, xpath)
  }
}

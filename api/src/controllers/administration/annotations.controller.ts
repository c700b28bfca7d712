import { Controller, Inject } from '@nestjs/common'
import { AnnotationPatch, Annotations, AnnotationView, NewAnnotation, type App } from '@hopper/contracts'
import type { Caller } from '../../access/caller.ts'
import { AnnotationsParameters } from '../../answers/report-parameters.ts'
import { Endpoint } from '../../http/call.ts'
import { CurrentApp, CurrentCaller, PathPart, ValidBody, ValidQuery } from '../../http/parameters.ts'
import { sharedAnnotations } from '../../sharing/shared-calls.ts'
import { AnnotationsService } from '../../services/administration/annotations.service.ts'

@Controller('api/v1/apps/:app/annotations')
export class AnnotationsController {
  private readonly annotations: AnnotationsService

  constructor(@Inject(AnnotationsService) annotations: AnnotationsService) {
    this.annotations = annotations
  }

  @Endpoint('GET', '', {
    summary: 'What members have noted on trends',
    need: 'read',
    query: AnnotationsParameters,
    answer: Annotations,
    shared: sharedAnnotations,
  })
  async list(@CurrentApp() app: App, @ValidQuery() parameters: AnnotationsParameters): Promise<Annotations> {
    return { annotations: await this.annotations.list(app, parameters) }
  }

  @Endpoint('POST', '', {
    summary: 'Note on trends what happened',
    need: 'admin',
    body: NewAnnotation,
    answer: AnnotationView,
  })
  create(
    @CurrentApp() app: App,
    @ValidBody() note: NewAnnotation,
    @CurrentCaller() caller: Caller,
  ): Promise<AnnotationView> {
    return this.annotations.create(app, note, caller)
  }

  @Endpoint('PATCH', ':annotation', {
    summary: 'Change an annotation',
    need: 'admin',
    body: AnnotationPatch,
    answer: AnnotationView,
  })
  change(
    @CurrentApp() app: App,
    @PathPart('annotation') id: string,
    @ValidBody() patch: AnnotationPatch,
    @CurrentCaller() caller: Caller,
  ): Promise<AnnotationView> {
    return this.annotations.change(app, id, patch, caller)
  }

  @Endpoint('DELETE', ':annotation', { summary: 'Remove an annotation', need: 'admin' })
  remove(@CurrentApp() app: App, @PathPart('annotation') id: string): Promise<void> {
    return this.annotations.remove(app, id)
  }
}

import { randomBytes } from 'node:crypto'
import { Inject, Injectable } from '@nestjs/common'
import {
  HopperError,
  DATE_RULE,
  isDate,
  limits,
  type Annotation,
  type AnnotationPatch,
  type AnnotationView,
  type App,
  type NewAnnotation,
} from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { Caller } from '../../access/caller.ts'
import { nameOfCaller } from '../../access/name-of-caller.ts'
import { dateRange } from '../../answers/date-range.ts'
import type { AnnotationsParameters } from '../../answers/report-parameters.ts'
import { invalidFields } from '../../http/checked.ts'
import type { Fault } from '../../http/faults.ts'
import { CLOCK, REGISTRY, type Clock } from '../../tokens.ts'
import { FunnelsService } from './funnels.service.ts'

const ID_BYTES = 8

/** Notes of members on trends. */
@Injectable()
export class AnnotationsService {
  private readonly registry: Registry
  private readonly funnels: FunnelsService
  private readonly clock: Clock

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(FunnelsService) funnels: FunnelsService,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.registry = registry
    this.funnels = funnels
    this.clock = clock
  }

  /** Lists those that touch the range; with a funnel those of the whole app and of that funnel. */
  async list(app: App, { funnel, ...parameters }: AnnotationsParameters): Promise<AnnotationView[]> {
    const { from, to } = dateRange(parameters, app, this.clock())
    const all = await this.registry.annotations.list(app.id)
    return all
      .filter((note) => note.from <= to && (note.to ?? note.from) >= from)
      .filter((note) => funnel === undefined || note.funnel === undefined || note.funnel === funnel)
      .sort((a, b) => (a.from === b.from ? a.created_at - b.created_at : a.from < b.from ? -1 : 1))
      .map(viewOf)
  }

  async create(app: App, sent: NewAnnotation, caller: Caller): Promise<AnnotationView> {
    if ((await this.registry.annotations.list(app.id)).length >= limits.annotationsPerAppMax)
      throw new HopperError('HOP_LIMIT', 'This app has too many annotations; remove some first.', {
        details: { annotations_max: limits.annotationsPerAppMax },
      })
    const id = randomBytes(ID_BYTES).toString('hex')
    const created_by = await nameOfCaller(this.registry, caller)
    return this.put(app, { ...sent, id, app: app.id, created_by, created_at: this.clock() })
  }

  /** Changes an annotation, and notes who did. */
  async change(app: App, id: string, patch: AnnotationPatch, caller: Caller): Promise<AnnotationView> {
    const { to: end, funnel: scope, ...rest } = await this.get(app, id)
    const { to = end, funnel = scope, ...changed } = patch
    const changed_by = await nameOfCaller(this.registry, caller)
    return this.put(
      app,
      {
        ...rest,
        ...changed,
        ...(to === undefined || to === null ? {} : { to }),
        ...(funnel === undefined || funnel === null ? {} : { funnel }),
        changed_by,
        changed_at: this.clock(),
      },
      scope,
    )
  }

  async remove(app: App, id: string): Promise<void> {
    if (!(await this.registry.annotations.remove(app.id, id))) throw unknown()
  }

  private async get(app: App, id: string): Promise<Annotation> {
    const note = await this.registry.annotations.get(app.id, id)
    if (!note) throw unknown()
    return note
  }

  /** A funnel that was removed since may stay, so that the rest can be changed. */
  private async put(app: App, note: Annotation, funnelBefore?: string): Promise<AnnotationView> {
    const faults = faultsOf(note)
    if (faults.length > 0) throw invalidFields(faults)
    if (note.funnel !== undefined && note.funnel !== funnelBefore) await this.funnels.get(app, note.funnel)
    await this.registry.annotations.put(app.id, note.id, note)
    return viewOf(note)
  }
}

function viewOf({ app: _, ...note }: Annotation): AnnotationView {
  return note
}

function faultsOf({ from, to, text }: Annotation): Fault[] {
  const faults: Fault[] = []
  if (!isDate(from)) faults.push({ field: 'from', message: `must be ${DATE_RULE}` })
  if (to !== undefined && !isDate(to)) faults.push({ field: 'to', message: `must be ${DATE_RULE}` })
  else if (to !== undefined && to < from) faults.push({ field: 'to', message: 'is before `from`' })
  if (text.trim() === '') faults.push({ field: 'text', message: 'is empty' })
  return faults
}

function unknown(): HopperError {
  return new HopperError('HOP_NOT_FOUND', 'This app has no such annotation; GET annotations lists them.')
}

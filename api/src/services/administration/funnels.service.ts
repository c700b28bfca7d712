import { Inject, Injectable } from '@nestjs/common'
import { backfillProgress, HopperError, limits, type App, type Funnel } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { FunnelPatch, FunnelView, SentFunnel } from '../../answers/administration.ts'
import { invalidFields } from '../../http/checked.ts'
import { CLOCK, REGISTRY, type Clock } from '../../tokens.ts'
import { checkStages, addKeptParameters } from './check-stages.ts'
import { markOf, numberStages, putFunnel } from './stage-numbers.ts'

@Injectable()
export class FunnelsService {
  private readonly registry: Registry
  private readonly clock: Clock

  constructor(@Inject(REGISTRY) registry: Registry, @Inject(CLOCK) clock: Clock) {
    this.registry = registry
    this.clock = clock
  }

  /** Returns the requested funnel, or the app's first one; undefined if the app has none. */
  async chosen(app: App, id: string | undefined): Promise<Funnel | undefined> {
    return id === undefined ? (await this.list(app))[0] : this.get(app, id)
  }

  /** Lists the funnels in the order in which they were made: the first one, which pages show first, stays first. */
  async list(app: App): Promise<readonly Funnel[]> {
    const [funnels, marks] = await Promise.all([
      this.registry.funnels.list(app.id),
      this.registry.funnelMarks.list(app.id),
    ])
    const createdAt = new Map(marks.map(({ id, created_at = 0 }) => [id, created_at]))
    return [...funnels].sort((a, b) => (createdAt.get(a.id) ?? 0) - (createdAt.get(b.id) ?? 0))
  }

  async get(app: App, id: string): Promise<Funnel> {
    const funnel = await this.registry.funnels.get(app.id, id)
    if (!funnel) throw new HopperError('HOP_FUNNEL_UNKNOWN')
    return funnel
  }

  /** Returns the funnels with the progress of counting their past. */
  async views(app: App, funnels: readonly Funnel[]): Promise<FunnelView[]> {
    const lanes = await this.registry.backfills.list(app.id)
    return funnels.map((funnel) => ({
      ...funnel,
      past: backfillProgress(
        funnel.stages,
        lanes.filter((each) => each.funnel === funnel.id),
      ),
    }))
  }

  async create(app: App, sent: SentFunnel): Promise<Funnel> {
    const existing = await this.list(app)
    if (existing.some(({ id }) => id === sent.id)) throw new HopperError('HOP_CONFLICT')
    if (existing.length >= limits.funnelsPerAppMax)
      throw new HopperError('HOP_LIMIT', undefined, { details: { funnels_max: limits.funnelsPerAppMax } })
    return this.put(app, sent, [], this.clock())
  }

  async change(app: App, id: string, patch: FunnelPatch): Promise<Funnel> {
    const before = await this.get(app, id)
    return this.put(app, { ...before, ...patch }, before.stages)
  }

  /** Removes a funnel. Its highest stage id stays recorded, so a new funnel with this id gets new stage ids. */
  async remove(app: App, id: string): Promise<void> {
    const { stages } = await this.get(app, id)
    const { highest } = numberStages(stages, stages, await markOf(this.registry, app.id, id))
    await this.registry.funnelMarks.put(app.id, id, { id, highest })
    if (!(await this.registry.funnels.remove(app.id, id))) throw new HopperError('HOP_FUNNEL_UNKNOWN')
  }

  private async put(app: App, sent: SentFunnel, before: Funnel['stages'], createdAt?: number): Promise<Funnel> {
    const { stages, highest, faults } = numberStages(sent.stages, before, await markOf(this.registry, app.id, sent.id))
    if (faults.length > 0) throw invalidFields(faults)
    const funnel = { ...sent, stages }
    checkStages(funnel, app)
    await addKeptParameters(this.registry, app, funnel)
    await putFunnel(this.registry, app.id, funnel, { highest, created_at: createdAt })
    return funnel
  }
}

import { Inject, Injectable } from '@nestjs/common'
import { HopperError, limits, type App, type Funnel } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { FunnelPatch } from '../answers/administration.ts'
import { REGISTRY } from '../tokens.ts'
import { checkStages, keepParametersOf } from './check-stages.ts'

@Injectable()
export class FunnelsService {
  private readonly registry: Registry

  constructor(@Inject(REGISTRY) registry: Registry) {
    this.registry = registry
  }

  /** The funnel asked for, else the app's first; undefined when the app has none. */
  async chosen(app: App, id: string | undefined): Promise<Funnel | undefined> {
    return id === undefined ? (await this.list(app))[0] : this.get(app, id)
  }

  list(app: App): Promise<readonly Funnel[]> {
    return this.registry.funnels.list(app.id)
  }

  async get(app: App, id: string): Promise<Funnel> {
    const funnel = await this.registry.funnels.get(app.id, id)
    if (!funnel) throw new HopperError('HOP_FUNNEL_UNKNOWN')
    return funnel
  }

  async create(app: App, funnel: Funnel): Promise<Funnel> {
    checkStages(funnel, app)
    const existing = await this.list(app)
    if (existing.some(({ id }) => id === funnel.id)) throw new HopperError('HOP_CONFLICT')
    if (existing.length >= limits.funnelsPerAppMax) throw new HopperError('HOP_LIMIT', undefined, { details: { funnels_max: limits.funnelsPerAppMax } })
    await keepParametersOf(this.registry, app, funnel)
    await this.registry.funnels.put(app.id, funnel.id, funnel)
    return funnel
  }

  async change(app: App, id: string, patch: FunnelPatch): Promise<Funnel> {
    const funnel = { ...(await this.get(app, id)), ...patch }
    checkStages(funnel, app)
    await keepParametersOf(this.registry, app, funnel)
    await this.registry.funnels.put(app.id, id, funnel)
    return funnel
  }

  async remove(app: App, id: string): Promise<void> {
    if (!(await this.registry.funnels.remove(app.id, id))) throw new HopperError('HOP_FUNNEL_UNKNOWN')
  }
}

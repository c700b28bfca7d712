import { Inject, Injectable } from '@nestjs/common'
import {
  ComputedProperty,
  HopperError,
  limits,
  type App,
  type ComputedProperty as Property,
  type PropertyDefinition,
} from '@hopper/contracts'
import { PROPERTY_PREFIX, PropertyPlan, type QueryContext } from '@hopper/engine'
import type { Registry } from '@hopper/storage'
import { faultsIn, invalidFields } from '../../http/checked.ts'
import { contextOf } from '../../query/context-of.ts'
import { REGISTRY } from '../../tokens.ts'

/** The computed properties of an app. Their values are not stored: a query computes them when it asks for them. */
@Injectable()
export class PropertiesService {
  private readonly registry: Registry

  constructor(@Inject(REGISTRY) registry: Registry) {
    this.registry = registry
  }

  list(app: App): Promise<readonly Property[]> {
    return this.registry.properties.list(app.id)
  }

  /** Creates or replaces a computed property. */
  async put(app: App, name: string, definition: PropertyDefinition): Promise<Property> {
    const faults = faultsIn(ComputedProperty.properties.name, name)
    if (faults.length > 0)
      throw invalidFields([{ field: 'name', message: 'must be letters, digits, _ . or -, at most 64 characters' }])
    // throws for a definition that makes no sense
    void new PropertyPlan(definition)
    const existing = await this.list(app)
    if (existing.length >= limits.propertiesPerAppMax && !existing.some((property) => property.name === name))
      throw new HopperError(
        'HOP_LIMIT',
        `The app has ${limits.propertiesPerAppMax} computed properties already; remove one first.`,
        { details: { properties_max: limits.propertiesPerAppMax } },
      )
    const property = { name, ...definition }
    await this.registry.properties.put(app.id, name, property)
    return property
  }

  async remove(app: App, name: string): Promise<void> {
    if (!(await this.registry.properties.remove(app.id, name)))
      throw new HopperError('HOP_NOT_FOUND', `The app has no computed property ${JSON.stringify(name.slice(0, 64))}.`)
  }

  /** Builds the context of a query. Reads the computed properties only if the request may name one. */
  async contextOf(app: App, completeTo: number | null, request: unknown): Promise<QueryContext> {
    const context = contextOf(app, completeTo)
    return JSON.stringify(request).includes(`"${PROPERTY_PREFIX}`) ? this.within(app, context) : context
  }

  /** Adds all computed properties of the app to a context. */
  async within(app: App, context: QueryContext): Promise<QueryContext> {
    const all = await this.list(app)
    return { ...context, properties: Object.fromEntries(all.map(({ name, ...definition }) => [name, definition])) }
  }
}

import { Controller, Inject } from '@nestjs/common'
import { ComputedProperty, PropertyDefinition, type App } from '@hopper/contracts'
import { Properties } from '../answers/people.ts'
import { Endpoint } from '../http/call.ts'
import { CurrentApp, PathPart, ValidBody } from '../http/parameters.ts'
import { PropertiesService } from '../services/people/properties.service.ts'

@Controller('api/v1/apps/:app/properties')
export class PropertiesController {
  private readonly properties: PropertiesService

  constructor(@Inject(PropertiesService) properties: PropertiesService) {
    this.properties = properties
  }

  @Endpoint('GET', '', { summary: 'The computed properties of persons', need: 'read', answer: Properties })
  async list(@CurrentApp() app: App): Promise<{ properties: readonly ComputedProperty[] }> {
    return { properties: await this.properties.list(app) }
  }

  @Endpoint('PUT', ':property', {
    summary: 'Define or replace a computed property',
    note: 'Its values are computed from all events of a person whenever they are asked for, so it needs no backfill.',
    need: 'admin',
    body: PropertyDefinition,
    answer: ComputedProperty,
  })
  put(
    @CurrentApp() app: App,
    @PathPart('property') name: string,
    @ValidBody() definition: PropertyDefinition,
  ): Promise<ComputedProperty> {
    return this.properties.put(app, name, definition)
  }

  @Endpoint('DELETE', ':property', { summary: 'Remove a computed property', need: 'admin' })
  remove(@CurrentApp() app: App, @PathPart('property') name: string): Promise<void> {
    return this.properties.remove(app, name)
  }
}

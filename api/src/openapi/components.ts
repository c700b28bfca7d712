import * as contracts from '@hopper/contracts'
import type { TSchema } from 'typebox'
import * as administration from '../answers/administration.ts'
import * as asked from '../answers/report-parameters.ts'
import * as deadLetters from '../answers/dead-letters.ts'
import * as eventStore from '../answers/events/event-store.ts'
import * as eventKeys from '../answers/events/event-keys.ts'
import * as events from '../answers/events/events.ts'
import * as forgets from '../answers/forgets.ts'
import * as installing from '../answers/installing.ts'
import * as mcp from '../answers/mcp.ts'
import * as people from '../answers/people.ts'
import * as secondFactor from '../answers/second-factor.ts'

/** The modules that export schemas. */
const modules = [
  contracts,
  asked,
  administration,
  deadLetters,
  events,
  eventKeys,
  eventStore,
  forgets,
  installing,
  mcp,
  people,
  secondFactor,
]

/** Component names: the names under which the modules export their schemas. */
const names = new Map<object, string>(
  modules.flatMap((module) =>
    Object.entries(module as Record<string, unknown>).flatMap(([name, value]) =>
      isSchema(value) ? [[value, name] as [object, string]] : [],
    ),
  ),
)

function isSchema(value: unknown): value is TSchema {
  return (
    typeof value === 'object' &&
    value !== null &&
    ('type' in value || 'anyOf' in value || '$ref' in value) &&
    !Array.isArray(value)
  )
}

/**
 * Collects the named schemas that a description refers to. Requests are strict while answers may grow, so a schema used
 * for both gets two names.
 */
export class Components {
  readonly schemas: Record<string, unknown> = {}
  private readonly answered = new Set<string>()

  /** Returns a reference to the schema of an answer. */
  answer(schema: TSchema): object {
    return this.visit(schema, (name) => {
      this.answered.add(name)
      return name
    }) as object
  }

  /** Returns a reference to the schema of a request; describe the answers first. */
  request(schema: TSchema): object {
    const strict = this.visit(
      schema,
      (name) => (this.answered.has(name) ? `${name}Input` : name),
      contracts.strictSchema,
    )
    return strict as object
  }

  /** Copies a schema, replacing its named parts by references to components. */
  private visit(
    value: unknown,
    nameOf: (name: string) => string,
    finished: <T extends object>(schema: T) => T = (schema) => schema,
  ): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map((each) => this.visit(each, nameOf, finished))
    const known = names.get(value)
    const copy = (): object =>
      finished(
        Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.visit(inner, nameOf, finished)])),
      )
    // a filter refers to itself, so its own definitions contain it
    if (known === undefined || '$ref' in value || !('properties' in value || 'anyOf' in value)) return copy()
    const name = nameOf(known)
    if (!Object.hasOwn(this.schemas, name)) {
      this.schemas[name] = {}
      this.schemas[name] = copy()
    }
    return { $ref: `#/components/schemas/${name}` }
  }
}

/** A schema as plain JSON, and what it refers to, by name. */
export interface PlainSchema {
  readonly schema: Record<string, unknown>
  readonly definitions: Readonly<Record<string, unknown>>
}

/**
 * A schema whose parts of type `Cyclic`, which each carry their definitions, refer to one place instead, as JSON Schema
 * and OpenAPI want it. `place` is the pointer under which the caller puts the definitions, such as `#/$defs/`.
 */
export function sharedDefinitions(schema: object, place: string): PlainSchema {
  const definitions: Record<string, unknown> = {}
  const plain = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(plain)
    const { $defs, $ref, ...rest } = value as { $defs?: Record<string, unknown>; $ref?: unknown }
    for (const [name, definition] of Object.entries($defs ?? {})) {
      if (Object.hasOwn(definitions, name)) continue
      // it stands there before it is read, because it refers to itself
      definitions[name] = undefined
      definitions[name] = withoutId(plain(definition))
    }
    const others = Object.fromEntries(Object.entries(rest).map(([name, inner]) => [name, plain(inner)]))
    return typeof $ref === 'string' ? { ...others, $ref: $ref.includes('/') ? $ref : `${place}${$ref}` } : others
  }
  return { schema: plain(schema) as Record<string, unknown>, definitions }
}

/** An `$id` would begin a document of its own, in which the references of the definition lead nowhere. */
function withoutId(definition: unknown): unknown {
  return Object.fromEntries(Object.entries(definition as object).filter(([name]) => name !== '$id'))
}

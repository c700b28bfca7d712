/** A schema as plain JSON, and the definitions that it refers to, by name. */
export interface PlainSchema {
  readonly schema: Record<string, unknown>
  readonly definitions: Readonly<Record<string, unknown>>
}

/**
 * Moves the definitions that each part of type `Cyclic` carries into one shared place, as JSON Schema and OpenAPI
 * require. `place` is the JSON pointer under which the caller puts the definitions, such as `#/$defs/`.
 */
export function sharedDefinitions(schema: object, place: string): PlainSchema {
  const definitions: Record<string, unknown> = {}
  const plain = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(plain)
    const { $defs, $ref, ...rest } = value as { $defs?: Record<string, unknown>; $ref?: unknown }
    for (const [name, definition] of Object.entries($defs ?? {})) {
      if (Object.hasOwn(definitions, name)) continue
      // registered before it is visited, because it refers to itself
      definitions[name] = undefined
      definitions[name] = withoutId(plain(definition))
    }
    const others = Object.fromEntries(Object.entries(rest).map(([name, inner]) => [name, plain(inner)]))
    return typeof $ref === 'string' ? { ...others, $ref: $ref.includes('/') ? $ref : `${place}${$ref}` } : others
  }
  return { schema: plain(schema) as Record<string, unknown>, definitions }
}

/** Removes `$id`, which would start a separate document in which the references of the definition do not resolve. */
function withoutId(definition: unknown): unknown {
  return Object.fromEntries(Object.entries(definition as object).filter(([name]) => name !== '$id'))
}

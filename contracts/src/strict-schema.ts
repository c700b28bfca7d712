/**
 * Copies a schema so that each of its objects rejects unknown fields. Requests are validated against such copies:
 * silently dropping a misspelled field would answer a different query than the client meant.
 */
export function strictSchema<T extends object>(schema: T): T {
  return copied(schema) as T
}

function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copied)
  const copy = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, copied(inner)]))
  const isObject = copy['type'] === 'object' && typeof copy['properties'] === 'object'
  const isOpen = 'additionalProperties' in copy || 'patternProperties' in copy
  return isObject && !isOpen ? { ...copy, additionalProperties: false } : copy
}

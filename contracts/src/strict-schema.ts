/**
 * Copies a schema so that each of its objects refuses fields that it does not name. Requests are checked against such
 * copies: a field with a wrong name that was dropped in silence would answer another question than the one that was
 * asked.
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

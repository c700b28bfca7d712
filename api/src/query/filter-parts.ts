/** A value as the JSON of a question has it. */
type Part = { readonly [name: string]: unknown }

/**
 * The same question with `all` in the place of each `regex`: it is about the same range and the same chunks or more,
 * and is made ready in no time.
 */
export function withoutPatterns<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutPatterns) as T
  if (!isPart(value)) return value
  if (value['type'] === 'regex') return { type: 'all', key: value['key'] } as T
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutPatterns(inner)])) as T
}

/** The keys that the filters of a question name, and keys that only look like some of a filter. */
export function keysOfFilters(value: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const inner of value) keysOfFilters(inner, found)
  else if (isPart(value)) {
    if (typeof value['type'] === 'string' && typeof value['key'] === 'string') found.add(value['key'])
    for (const inner of Object.values(value)) keysOfFilters(inner, found)
  }
  return found
}

function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null
}

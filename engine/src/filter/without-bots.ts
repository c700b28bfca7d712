import type { Filter } from '@hopper/contracts'

/** Adds a filter that excludes bot events, which are stored but not counted, unless the query uses the key `bot`. */
export function withoutBots(filters: readonly Filter[], all: readonly Filter[] = filters): Filter[] {
  return all.some(namesBots) ? [...filters] : [...filters, { type: 'not', filter: { type: 'all', key: 'bot' } }]
}

function namesBots(filter: Filter): boolean {
  if (filter.type === 'not') return namesBots(filter.filter)
  if (filter.type === 'or') return filter.filters.some(namesBots)
  return filter.key === 'bot'
}

import type { Filter } from '@hopper/contracts'

/** Events of machines are kept but not counted, unless the query itself speaks of the key `bot`. */
export function withoutBots(filters: readonly Filter[], all: readonly Filter[] = filters): Filter[] {
  return all.some(namesBots) ? [...filters] : [...filters, { type: 'not', filter: { type: 'all', key: 'bot' } }]
}

function namesBots(filter: Filter): boolean {
  if (filter.type === 'not') return namesBots(filter.filter)
  if (filter.type === 'or') return filter.filters.some(namesBots)
  return filter.key === 'bot'
}

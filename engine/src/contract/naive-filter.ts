import type { ArchivedEvent, Filter, Value } from '@hopper/contracts'

/** The value that an event has under a key: the field, else the key of `data`. */
export function naiveValue(row: ArchivedEvent, key: string): Value | undefined {
  const data = (('data' in row.event && row.event.data) || {}) as Record<string, Value>
  const own = (of: object, name: string): Value | undefined => (Object.hasOwn(of, name) ? (of as Record<string, Value>)[name] : undefined)
  if (key.startsWith('data.')) return own(data, key.slice(5))
  const fields = { ...row.event, ...row.context, ...row.context.utm, device_id: row.device_id, received_at: row.received_at, data: undefined, utm: undefined }
  const user = key === 'user' && row.user !== '' ? row.user : undefined
  return user ?? own(fields, key) ?? own(data, key)
}

/** A filter's meaning, word for word. */
export function naiveHolds(row: ArchivedEvent, filter: Filter): boolean {
  if (filter.type === 'not') return !naiveHolds(row, filter.filter)
  if (filter.type === 'or') return filter.filters.some((inner) => naiveHolds(row, inner))
  const value = naiveValue(row, filter.key)
  switch (filter.type) {
    case 'eq': return value === filter.value
    case 'ne': return value !== filter.value
    case 'in': return value !== undefined && filter.values.includes(value)
    case 'all': return value !== undefined
    case 'contains': return value !== undefined && String(value).includes(filter.value)
    case 'regex': return value !== undefined && new RegExp(`^(?:${filter.value})$`, 'u').test(String(value))
    case 'gt': return value !== undefined && typeof value === typeof filter.value && value > filter.value
    case 'lt': return value !== undefined && typeof value === typeof filter.value && value < filter.value
  }
}

export function naiveAll(row: ArchivedEvent, filters: readonly Filter[]): boolean {
  return filters.every((filter) => naiveHolds(row, filter))
}

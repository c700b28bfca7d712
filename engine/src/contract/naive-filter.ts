import { pageOf, pageUrlOf, StagePattern, type ArchivedEvent, type Filter, type Value } from '@hopper/contracts'

/** Returns the value of a key of an event: the field, else the key of `data`. */
export function naiveValue(row: ArchivedEvent, key: string): Value | undefined {
  const data = (('data' in row.event && row.event.data) || {}) as Record<string, Value>
  const own = (of: object, name: string): Value | undefined =>
    Object.hasOwn(of, name) ? (of as Record<string, Value>)[name] : undefined
  if (key.startsWith('data.')) return own(data, key.slice(5))
  if (key === 'page' || key === 'page_url') {
    const url = row.event.type === 'url_change' ? row.event.to : row.event.type === 'click' ? row.event.current_url : ''
    return url === '' ? own(data, key) : key === 'page' ? pageOf(url) : pageUrlOf(url)
  }
  const fields = {
    ...row.event,
    ...row.context,
    ...row.context.utm,
    device_id: row.device_id,
    received_at: row.received_at,
    data: undefined,
    utm: undefined,
  }
  const user = key === 'user' && row.user !== '' ? row.user : undefined
  return user ?? own(fields, key) ?? own(data, key)
}

/** Evaluates a filter exactly as documented. */
export function naiveHolds(row: ArchivedEvent, filter: Filter): boolean {
  if (filter.type === 'not') return !naiveHolds(row, filter.filter)
  if (filter.type === 'or') return filter.filters.some((inner) => naiveHolds(row, inner))
  const value = naiveValue(row, filter.key)
  switch (filter.type) {
    case 'eq':
      return value !== undefined && naiveEqual(value, filter.value)
    case 'ne':
      return value === undefined || !naiveEqual(value, filter.value)
    case 'in':
      return value !== undefined && filter.values.some((one) => naiveEqual(value, one))
    case 'pattern':
      return typeof value === 'string' && new StagePattern(filter.value).matches(value)
    case 'all':
      return value !== undefined
    case 'contains':
      return value !== undefined && String(value).includes(filter.value)
    case 'regex':
      return value !== undefined && new RegExp(`^(?:${filter.value})$`, 'u').test(String(value))
    case 'stage':
      return (
        filter.stages.findLast(({ url, click }) => (filter.key === 'to' ? url : click) === value)?.id === filter.stage
      )
    case 'gt':
      return value !== undefined && naiveCompare(value, filter.value) > 0
    case 'lt':
      return value !== undefined && naiveCompare(value, filter.value) < 0
  }
}

const isNumeric = (value: Value): boolean =>
  typeof value === 'number' ||
  (typeof value === 'string' && /^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$/.test(value))

/** Compares for equality; a number equals a text that represents it. */
function naiveEqual(a: Value, b: Value): boolean {
  if (typeof a !== typeof b && isNumeric(a) && isNumeric(b)) return Number(a) === Number(b)
  return a === b
}

/** Compares two values as less, equal or greater; NaN if they are not comparable. */
function naiveCompare(a: Value, b: Value): number {
  if (isNumeric(a) && isNumeric(b)) return Number(a) - Number(b)
  if (typeof a !== 'string' || typeof b !== 'string') return NaN
  return a < b ? -1 : a > b ? 1 : 0
}

export function naiveAll(row: ArchivedEvent, filters: readonly Filter[]): boolean {
  return filters.every((filter) => naiveHolds(row, filter))
}

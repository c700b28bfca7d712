import { pageOf, pageUrlOf, StagePattern, type ArchivedEvent, type Filter, type Value } from '@hopper/contracts'

/** The person that an event belongs to, with its attributes at the end of the world. */
export interface NaivePerson {
  /** `u:USER` or `d:DEVICE` */
  readonly name: string
  readonly user: string | undefined
  readonly traits: Readonly<Record<string, Value>>
  readonly properties: Readonly<Record<string, Value>>
}

type Row = ArchivedEvent & { readonly person?: NaivePerson }

/** Returns the value of a key of an event: that of its person, the field, else the key of `data`. */
export function naiveValue(row: Row, key: string): Value | undefined {
  const { person } = row
  const data = (('data' in row.event && row.event.data) || {}) as Record<string, Value>
  const fieldOf = (fields: object, name: string): Value | undefined =>
    Object.hasOwn(fields, name) ? (fields as Record<string, Value>)[name] : undefined
  if (key.startsWith('data.')) return fieldOf(data, key.slice(5))
  if (key === 'page' || key === 'page_url') {
    const { event } = row
    const url = event.type === 'url_change' ? event.to : 'current_url' in event ? event.current_url : undefined
    return url === undefined || url === '' ? fieldOf(data, key) : key === 'page' ? pageOf(url) : pageUrlOf(url)
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
  if (key === 'person') return person?.name
  if (key.startsWith('trait.')) return fieldOf(person?.traits ?? {}, key.slice(6))
  if (key.startsWith('property.')) return fieldOf(person?.properties ?? {}, key.slice(9))
  if (key === 'user_id') return fieldOf(row.event, key) ?? fieldOf(data, key) ?? person?.user
  const user = key === 'user' && row.user !== '' ? row.user : undefined
  return user ?? fieldOf(fields, key) ?? fieldOf(data, key)
}

/** Evaluates a filter exactly as documented. */
export function naiveHolds(row: Row, filter: Filter): boolean {
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

export function isNumeric(value: Value): boolean {
  return (
    typeof value === 'number' ||
    (typeof value === 'string' && /^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$/.test(value))
  )
}

/** Compares two numbers as fractions of whole numbers; their exponents must be small. */
function naiveOrder(a: Value, b: Value): number {
  const fractionOf = (value: Value): [bigint, bigint] => {
    const [, sign, whole = '', part = '', exponent = '0'] =
      /^([-+]?)([0-9]*)\.?([0-9]*)(?:[eE]([-+]?[0-9]+))?$/.exec(String(value)) ?? []
    const digits = BigInt(whole + part) * (sign === '-' ? -1n : 1n)
    const scale = Number(exponent) - part.length
    return scale < 0 ? [digits, 10n ** BigInt(-scale)] : [digits * 10n ** BigInt(scale), 1n]
  }
  const [[x, over], [y, under]] = [fractionOf(a), fractionOf(b)]
  return x * under < y * over ? -1 : x * under > y * over ? 1 : 0
}

/** Compares for equality; a number equals a text that represents it. */
function naiveEqual(a: Value, b: Value): boolean {
  if (typeof a !== typeof b && isNumeric(a) && isNumeric(b)) return naiveOrder(a, b) === 0
  return a === b
}

/** Compares two values as less, equal or greater; NaN if they are not comparable. */
function naiveCompare(a: Value, b: Value): number {
  if (isNumeric(a) && isNumeric(b)) return naiveOrder(a, b)
  if (typeof a !== 'string' || typeof b !== 'string') return NaN
  return a < b ? -1 : a > b ? 1 : 0
}

export function naiveAll(row: Row, filters: readonly Filter[]): boolean {
  return filters.every((filter) => naiveHolds(row, filter))
}

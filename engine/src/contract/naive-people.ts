import { personKey, type ArchivedEvent, type ComputedProperty, type Value } from '@hopper/contracts'
import { isNumeric, naiveAll, naiveValue, type NaivePerson } from './naive-filter.ts'

type Row = ArchivedEvent & { readonly lane: number }

/** Orders events by timestamp, then `seq`, then place in the log. */
export function compareTimes(a: Row, b: Row): number {
  return (
    a.event.timestamp - b.event.timestamp ||
    a.event.seq - b.event.seq ||
    a.position - b.position ||
    a.lane - b.lane ||
    a.index - b.index
  )
}

/** Finds the person of each event: the documented definition, without regard to speed. */
export function naivePeople(
  rows: readonly Row[],
  users: ReadonlyMap<string, readonly string[]>,
  properties: readonly ComputedProperty[],
): Map<Row, NaivePerson> {
  const nameOf = (row: Row): string =>
    personKey({ user: row.user, device: row.device_id }, users.get(row.device_id)?.[0])
  const persons = new Map<string, NaivePerson>()
  for (const [name, group] of Map.groupBy([...rows].sort(compareTimes), nameOf)) {
    const traits: Record<string, Value> = {}
    for (const { event } of group) if (event.type === 'identify') assignOwn(traits, event.data ?? {})
    const values = properties.map(({ name: property, ...rest }) => [property, naiveProperty(group, rest)] as const)
    persons.set(name, {
      name,
      user: name.startsWith('u:') ? name.slice(2) : undefined,
      traits,
      properties: Object.fromEntries(values.filter(([, value]) => value !== undefined)) as Record<string, Value>,
    })
  }
  return new Map(rows.map((row) => [row, persons.get(nameOf(row))!]))
}

/** Assigns values like `Object.assign`, also those of a key `__proto__`. */
function assignOwn(to: Record<string, Value>, from: Readonly<Record<string, Value>>): void {
  for (const [key, value] of Object.entries(from))
    Object.defineProperty(to, key, { value, enumerable: true, writable: true, configurable: true })
}

/** Computes a property from the events of a person, in order. */
function naiveProperty(
  rows: readonly Row[],
  { event, key, operation, filters = [] }: Omit<ComputedProperty, 'name'>,
): Value | undefined {
  const matching = rows.filter(
    (row) =>
      (row.event.type === event || (row.event.type === 'custom' && row.event.name === event)) &&
      !row.context.bot &&
      naiveAll(row, filters),
  )
  const weighted = matching.flatMap((row) => {
    const value = key === undefined ? true : naiveValue(row, key)
    return value === undefined ? [] : [{ value, weight: row.event.samplerate ?? 1 }]
  })
  const values = weighted.map(({ value }) => value)
  const numbers = values.filter(isNumeric).map(Number)
  switch (operation) {
    case 'count':
      return weighted.reduce((sum, { weight }) => sum + weight, 0)
    case 'sum':
      return weighted.reduce((sum, { value, weight }) => sum + (isNumeric(value) ? Number(value) * weight : 0), 0)
    case 'difference':
      return numbers.length > 0 ? numbers.at(-1)! - numbers[0]! : undefined
    case 'first':
      return values[0]
    case 'latest':
      return values.at(-1)
    case 'minimum':
      return numbers.length > 0 ? Math.min(...numbers) : undefined
    case 'maximum':
      return numbers.length > 0 ? Math.max(...numbers) : undefined
    case 'unique':
      return new Set(values).size
  }
}

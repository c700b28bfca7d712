import type { EventRequest, EventResult } from '@hopper/contracts'
import { eventRow } from '../query/first-events.ts'
import { naiveAll, naiveValue } from './naive-filter.ts'
import type { Row } from './naive-units.ts'
import type { World } from './random-world.ts'

const earlier = (a: Row, b: Row): number =>
  a.event.timestamp - b.event.timestamp || a.lane - b.lane || a.position - b.position || a.index - b.index

/** Naive reference of `POST /query`: the documented definition, without regard to speed. */
export function naiveEvents(world: World, request: EventRequest): EventResult {
  const sets = request.data.map((set) => ({
    ...set,
    rows: world.rows
      .filter(
        (r) =>
          r.event.timestamp >= request.start &&
          r.event.timestamp < request.end &&
          !r.context.bot &&
          naiveAll(r, set.filters),
      )
      .sort(earlier),
  }))
  type NamedSet = (typeof sets)[number]
  const count = (rows: readonly Row[]): number =>
    rows.reduce((sum, r) => sum + Number(naiveValue(r, 'samplerate') ?? 1), 0)
  const unique = (set: NamedSet, rows: readonly Row[]): Record<string, number> => {
    const keys = [...(set.unique ?? []), ...(set.operations ?? []).map((o) => o.key)]
    return Object.fromEntries(
      keys.map((key) => [key, new Set(rows.map((r) => naiveValue(r, key)).filter((v) => v !== undefined)).size]),
    )
  }
  const data = sets.map((set) => {
    const rows = set.rows.slice(0, set.events ?? 0)
    const shown = set.keys
      ? rows.map((r) =>
          Object.fromEntries(
            set.keys!.flatMap((key) => (naiveValue(r, key) === undefined ? [] : [[key, naiveValue(r, key)]])),
          ),
        )
      : rows.map(eventRow)
    return {
      name: set.name,
      count: count(set.rows),
      unique: unique(set, set.rows),
      ...(set.events ? { events: shown } : {}),
    }
  })
  if (!request.funnel) return { data }
  const { order, data: names, match = [] } = request.funnel
  let converted: Row[] | undefined
  let first = 0
  const stages = (order ?? names ?? []).map((name) => {
    const set = sets.find((s) => s.name === name)!
    const before = converted
    const same = (a: Row, b: Row): boolean =>
      match.every((key) => naiveValue(a, key) !== undefined && naiveValue(a, key) === naiveValue(b, key))
    converted = before ? set.rows.filter((r) => before.some((b) => same(b, r) && earlier(b, r) < 0)) : set.rows
    const n = count(converted)
    if (!before) first = n
    return { name, count: n, unique: unique(set, converted), rate: first === 0 ? null : n / first }
  })
  return { data, funnel: { stages } }
}

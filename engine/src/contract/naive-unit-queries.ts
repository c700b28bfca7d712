import {
  shiftDate,
  StagePattern,
  timeZone,
  type DistinctRequest,
  type DistinctResult,
  type FunnelUnit,
  type JourneyPeopleRequest,
  type JourneyRequest,
  type JourneyResult,
  type RetentionRequest,
  type RetentionResult,
  type Value,
} from '@hopper/contracts'
import { naiveAll, naiveValue } from './naive-filter.ts'
import { naiveUnits, type Row } from './naive-units.ts'
import type { World } from './random-world.ts'

interface UnitRange {
  readonly from: number
  readonly to: number
  readonly count_by?: FunnelUnit
}

function namedUnits(world: World, { from, to, count_by }: UnitRange): [name: string, rows: Row[]][] {
  const seen = world.rows.filter((r) => r.event.timestamp >= from && r.event.timestamp < to)
  return [...naiveUnits(world, seen, count_by ?? 'person')].map(([name, rows]) => [
    name,
    rows.filter((r) => !r.context.bot),
  ])
}

function units(world: World, range: UnitRange): Row[][] {
  return namedUnits(world, range).map(([, rows]) => rows)
}

export function naiveDistinct(world: World, request: DistinctRequest): DistinctResult {
  const matching = units(world, request)
    .map((rows) => rows.filter((r) => naiveAll(r, request.filters)))
    .filter((rows) => rows.length > 0)
  if (request.breakdown === undefined) return { count: matching.length }
  const values = new Map<Value | null, number>()
  for (const rows of matching) {
    for (const value of new Set(rows.map((r) => naiveValue(r, request.breakdown!) ?? null)))
      values.set(value, (values.get(value) ?? 0) + 1)
  }
  return { count: matching.length, breakdown: [...values].map(([value, count]) => ({ value, count })) }
}

export function naiveRetention(world: World, request: RetentionRequest, timezone: string): RetentionResult {
  const zone = timeZone(timezone)
  const bucketOf = (time: number): string => {
    const date = zone.dateOf(time)
    return request.by === 'day' ? date : shiftDate(date, -((new Date(`${date}T00:00Z`).getUTCDay() + 6) % 7))
  }
  const buckets: string[] = []
  for (
    let date = bucketOf(request.from);
    zone.startOf(date) < request.to;
    date = shiftDate(date, request.by === 'day' ? 1 : 7)
  )
    buckets.push(date)
  const members = units(world, request).flatMap((rows) => {
    const first = rows.findIndex((r) => naiveAll(r, request.first))
    if (first < 0) return []
    const again = rows
      .slice(first + 1)
      .filter((r) => naiveAll(r, request.again))
      .map((r) => bucketOf(r.event.timestamp))
    return [{ cohort: bucketOf(rows[first]!.event.timestamp), again }]
  })
  return {
    cohorts: buckets.map((bucket, i) => {
      const selected = members.filter((m) => m.cohort === bucket)
      return {
        time: zone.startOf(bucket),
        size: selected.length,
        again: buckets.slice(i).map((later) => selected.filter((m) => m.again.includes(later)).length),
      }
    }),
  }
}

/** Naive reference of a journey query; returns undefined if no unit visited the requested start or end. */
export function naiveJourneys(world: World, request: JourneyRequest): JourneyResult | undefined {
  const ways = naiveWays(world, request)
  if (!ways) return undefined
  const nodes = new Map<string, JourneyResult['nodes'][number]>()
  const links = new Map<string, { from: string; to: string; users: number }>()
  for (const { steps } of ways)
    steps.forEach(({ at: _, ...step }, i) => {
      nodes.set(step.id, { ...step, users: (nodes.get(step.id)?.users ?? 0) + 1 })
      if (i === 0) return
      const from = steps[i - 1]!.id
      links.set(`${from} ${step.id}`, { from, to: step.id, users: (links.get(`${from} ${step.id}`)?.users ?? 0) + 1 })
    })
  return { nodes: [...nodes.values()], links: [...links.values()] }
}

/** All people of a node or a link, the last first, with when they came there. */
export function naiveJourneyPeople(
  world: World,
  request: JourneyPeopleRequest,
): { id: string; entered_at: number }[] | undefined {
  const { node, link } = request
  return naiveWays(world, request)
    ?.flatMap(({ name, steps }) => {
      const entry = `${steps[0]!.step - 1}/entry`
      const all = [{ id: entry, at: steps[0]!.at }, ...steps]
      const index = all.findIndex(({ id }, i) => (link ? id === link.from && all[i + 1]?.id === link.to : id === node))
      return index < 0 ? [] : [{ id: name, entered_at: all[index]!.at }]
    })
    .sort((a, b) => b.entered_at - a.entered_at || (a.id < b.id ? -1 : 1))
}

interface NaiveStep {
  readonly id: string
  readonly step: number
  readonly value: string
  readonly kind?: 'exit'
  /** when the unit came there; of an exit, to the place before */
  readonly at: number
}

/** The journey of each unit; undefined if nobody visited its start or its end. */
function naiveWays(world: World, request: JourneyRequest): { name: string; steps: NaiveStep[] }[] | undefined {
  const key = request.key ?? 'page'
  const depth = request.depth ?? 5
  const visited = new Set<string>()
  const ways: { name: string; steps: NaiveStep[] }[] = []
  for (const [name, rows] of namedUnits(world, request)) {
    const places = rows
      .filter((r) => naiveAll(r, request.filters ?? []) && naiveValue(r, key) !== undefined)
      .filter((r) => request.key !== undefined || r.event.type === 'url_change')
      .map((r) => ({ at: r.event.timestamp, value: String(naiveValue(r, key)) }))
      .map(({ at, value }) => ({
        at,
        value: request.groups?.find((group) => new StagePattern(group).matches(value)) ?? value,
      }))
    let way = places.filter(({ value }, i) => i === 0 || places[i - 1]!.value !== value)
    for (const { value } of way) visited.add(value)
    const indexOf = (place: string): number => way.findIndex(({ value }) => value === place)
    if (request.start !== undefined) way = indexOf(request.start) < 0 ? [] : way.slice(indexOf(request.start))
    if (request.end !== undefined) way = way.slice(0, indexOf(request.end) + 1)
    const shown = request.end === undefined ? way.slice(0, depth) : way.slice(-depth)
    const offset = request.end === undefined ? 0 : depth - shown.length
    const steps: NaiveStep[] = shown.map((place, i) => ({
      ...place,
      id: `${offset + i}:${place.value}`,
      step: offset + i,
    }))
    if (request.end === undefined && way.length > 0 && way.length < depth)
      steps.push({ id: `${way.length}/exit`, step: way.length, value: 'exit', kind: 'exit', at: way.at(-1)!.at })
    if (steps.length > 0) ways.push({ name, steps })
  }
  const isUnknown = [request.start, request.end].some((place) => place !== undefined && !visited.has(place))
  return isUnknown ? undefined : ways
}

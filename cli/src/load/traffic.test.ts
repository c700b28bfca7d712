import { Source, wireEvents, type EventType } from '@hopper/contracts'
import { Value } from 'typebox/value'
import { expect, it } from 'vitest'
import { botAgents } from './agents.ts'
import { DAY_MS } from './visit-times.ts'
import { traffic, visitsOf, type Plan, type Visit } from './traffic.ts'

const plan: Plan = {
  seed: 'test',
  untilMs: Date.UTC(2026, 5, 15, 14),
  days: 60,
  visitors: 500,
  origin: 'http://127.0.0.1:8080',
}
const visits = [...traffic(plan)]
const batches = visits.flatMap(({ batches }) => batches)
const events = batches.flatMap(({ events }) => events)

it('is the same for the same plan, and different for another seed', () => {
  expect([...traffic(plan)]).toEqual(visits)
  const other = [...traffic({ ...plan, seed: 'other' })]
  const ids = new Set(events.map(({ event_id }) => event_id))
  expect(
    other
      .flatMap(({ batches }) => batches)
      .flatMap(({ events }) => events)
      .some(({ event_id }) => ids.has(event_id)),
  ).toBe(false)
})

it('generates only events that the wire schema accepts, within the requested time', () => {
  for (const event of events) {
    const schema = wireEvents[event.type as EventType]
    expect(Value.Check(schema, event), JSON.stringify([event, [...Value.Errors(schema, event)].slice(0, 2)])).toBe(true)
    expect(Number(event.timestamp)).toBeLessThanOrEqual(plan.untilMs)
    expect(Number(event.timestamp)).toBeGreaterThan(plan.untilMs - plan.days * DAY_MS)
  }
  expect(Math.max(...batches.map(({ events }) => events.length))).toBeLessThanOrEqual(50)
})

it('generates every kind on the dashboard, and reaches every funnel stage with ever fewer visitors', () => {
  expect(new Set(events.map(({ type }) => type))).toEqual(
    new Set(['click', 'url_change', 'btn_time', 'funnel_change', 'identify']),
  )
  const visitors = new Map<number, Set<string>>()
  for (const { device, batches } of visits) {
    for (const { entered } of batches.flatMap(({ events }) => events)) {
      if (typeof entered === 'number') visitors.set(entered, (visitors.get(entered) ?? new Set()).add(device))
    }
  }
  const people = [...visitors].sort(([a], [b]) => a - b).map(([, devices]) => devices.size)
  expect(people.length).toBeGreaterThanOrEqual(5)
  expect(people.at(-1)).toBeGreaterThan(0)
  expect(people.at(-1)).toBeLessThan(people[0]! / 3)
})

it('repeats some batches, and has bots, people on several devices, and returning people', () => {
  const ids = events.map(({ event_id }) => event_id)
  expect(new Set(ids).size).toBeLessThan(ids.length)
  expect(batches.some(({ userAgent }) => botAgents.includes(userAgent))).toBe(true)
  const devicesOf = new Map<unknown, Set<string>>()
  for (const { device, events } of batches) {
    for (const { type, user_id } of events)
      if (type === 'identify') devicesOf.set(user_id, (devicesOf.get(user_id) ?? new Set()).add(device))
  }
  expect([...devicesOf.values()].some((devices) => devices.size > 1)).toBe(true)
  expect(new Set(visits.map(({ device }) => device)).size).toBeLessThan(visits.length)
})

it('gives every visitor a home, and every visit of a person a source', () => {
  const people = visits.filter(({ batches }) => !botAgents.includes(batches[0]!.userAgent))
  const sources = people.map(({ batches }) => batches[0]!.session.source!)
  expect(sources.every((source) => Value.Check(Source, source))).toBe(true)
  expect(sources.some(({ referrer }) => referrer === undefined)).toBe(true)
  expect(new Set(sources.map(({ referrer }) => referrer)).size).toBeGreaterThan(5)
  expect(new Set(sources.map(({ utm_source }) => utm_source)).size).toBeGreaterThan(3)
  const countries = new Map<string, Set<unknown>>()
  for (const { device, batches } of people)
    countries.set(device, (countries.get(device) ?? new Set()).add(batches[0]!.session.country))
  expect([...countries.values()].every((own) => own.size === 1)).toBe(true)
  expect(new Set([...countries.values()].flatMap((own) => [...own])).size).toBeGreaterThan(5)
})

it('never lets a device begin a visit before its previous one has ended', () => {
  const ended = new Map<string, number>()
  for (const { device, startMs, batches } of visits) {
    expect(startMs).toBeGreaterThan(ended.get(device) ?? 0)
    ended.set(device, lastOf(batches))
  }
})

it('grows over the days and sends the number of visits it announces', () => {
  const days = visitsOf({ ...plan, days: 364, visitors: 20_000 })
  const sum = (part: typeof days): number => part.reduce((total, { visits }) => total + visits, 0)
  expect(sum(days.slice(0, 182))).toBeLessThan(sum(days.slice(182)))
  expect(sum(days)).toBeGreaterThan(20_000)
})

function lastOf(batches: Visit['batches']): number {
  return Math.max(...batches.flatMap(({ events }) => events.map(({ timestamp }) => Number(timestamp))))
}

/** Returns the correlation of ln(duration) with the outcome, where click = 1 and leave = 0. */
function correlationOf(hovers: readonly { ms: number; clicked: boolean }[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [hovers.map(({ ms }) => Math.log(Math.max(1, ms))), hovers.map(({ clicked }) => Number(clicked))]
  const [mx, my] = [mean(x), mean(y)]
  const product = (a: readonly number[], b: readonly number[]): number =>
    mean(a.map((value, i) => (value - (a === x ? mx : my)) * (b[i]! - (b === x ? mx : my))))
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y))
}

it('names the pointer of each hover: a mouse hesitates longer before a click, a finger is already there', () => {
  const hovers = [
    ...traffic({
      seed: 'demo',
      untilMs: Date.UTC(2026, 5, 15),
      days: 60,
      visitors: 1_500,
      origin: 'http://127.0.0.1:8080',
    }),
  ].flatMap(({ batches }) =>
    batches.flatMap(({ events, userAgent }) =>
      events
        .filter(({ type, target }) => type === 'btn_time' && target === "//*[@id='add']")
        .map((event) => ({
          ms: Number(event['elapsed_time']),
          clicked: event['action'] === 'hover-then-clicked',
          pointer: event['pointer'],
          isMobile: /Mobile|iPad|SM-X700/.test(userAgent),
        })),
    ),
  )
  expect(hovers.length).toBeGreaterThan(300)
  expect(hovers.every(({ pointer, isMobile }) => pointer === (isMobile ? 'touch' : 'mouse'))).toBe(true)
  const byMouse = correlationOf(hovers.filter(({ pointer }) => pointer === 'mouse'))
  const all = correlationOf(hovers)
  expect([byMouse > 0.3, all < 0.1], `${byMouse} by mouse, ${all} with touch`).toEqual([true, true])
})

import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { dropCauses, limits, type PeoplePlace, type PeopleRequest, type PersonRow, type Value } from '@hopper/contracts'
import { naiveAll, naiveValue } from '../../contract/naive-filter.ts'
import { naiveIsSelected, naiveOutcomes } from '../../contract/naive-funnel.ts'
import { naiveUnits } from '../../contract/naive-units.ts'
import { T0, worldOfVisits, type World } from '../../contract/random-world.ts'
import { STEP_WINDOW_MS, stepContext, stepFields, stepRequest, stepsNamed } from '../../contract/step-requests.ts'
import type { Chunk } from '../../chunk/chunk.ts'
import { idAt } from '../../chunk/ids.ts'
import { queryPeople } from './people-rows.ts'
import { PeopleScan } from './people-scan.ts'

const text = (value: Value | null | undefined): string | null =>
  value === null || value === undefined ? null : String(value)

/** The documented definition of all rows, without regard to speed. */
function naive(generated: World, request: PeopleRequest): PersonRow[] {
  const { from, to, filters = [], count_by = 'person', step, outcome, breakdown, value } = request
  const unitsUntil = (end: number): ReturnType<typeof naiveUnits> =>
    naiveUnits(
      generated,
      generated.rows.filter(({ event }) => event.timestamp >= from && event.timestamp < end),
      count_by,
    )
  const [considered, viewed] = [
    unitsUntil(to + STEP_WINDOW_MS),
    unitsUntil(to + STEP_WINDOW_MS + limits.sessionPauseMs),
  ]
  const rows = naiveOutcomes(generated, request, stepContext)
    .filter((one) => naiveIsSelected(one, step, outcome))
    .filter(({ taken }) => value === undefined || (naiveValue(taken[0]!, breakdown!) ?? null) === value)
    .map(({ unit, taken, cause }): PersonRow => {
      const counts = (row: World['rows'][number]): boolean => !row.context.bot && naiveAll(row, filters)
      const events = considered.get(unit)!.filter(counts)
      const lastPage = events.findLast((row) => naiveValue(row, 'page') !== undefined)
      const last = taken.at(-1)!.event.timestamp
      const places = viewed.get(unit)!.flatMap((row) => {
        const page = naiveValue(row, 'page')
        if (row.event.type !== 'url_change' || page === undefined || !counts(row)) return []
        return [{ time: row.event.timestamp, page: String(page) }]
      })
      const present = places.findLast(({ time }) => time <= last)?.page
      let before = last
      let next: string | undefined
      for (const { time, page } of places) {
        if (time <= last) continue
        if (time - before >= limits.sessionPauseMs) break
        before = time
        next = page === present ? undefined : page
        if (next !== undefined) break
      }
      return {
        id: unit,
        device: text(naiveValue(taken[0]!, 'device')),
        source: text(naiveValue(taken[0]!, 'channel')),
        country: text(naiveValue(taken[0]!, 'country')),
        entered_at: taken[0]!.event.timestamp,
        last_at: events.at(-1)!.event.timestamp,
        last_page: lastPage === undefined ? null : text(naiveValue(lastPage, 'page')),
        steps: taken.length,
        cause: cause ?? null,
        ...(next === undefined ? {} : { next }),
      }
    })
  return rows.sort((a, b) => b.entered_at - a.entered_at || (a.id < b.id ? -1 : 1))
}

const request: fc.Arbitrary<PeopleRequest> = fc
  .record({
    ...stepFields,
    outcome: fc.constantFrom('reached' as const, 'reached' as const, 'dropped' as const, ...dropCauses),
    value: fc.constantFrom(undefined, undefined, 'x', 'y', 1, true, null),
    limit: fc.constantFrom(1, 2, 1000),
  })
  .map(({ value, ...fields }) => ({
    ...stepRequest(fields),
    ...(value === undefined ? {} : { breakdown: 'item', value }),
  }))

/** Reads all pages, one after the other. */
function allPages(generated: World, one: PeopleRequest): { totals: Set<number>; people: PersonRow[] } {
  const people: PersonRow[] = []
  const totals = new Set<number>()
  for (let after: PeoplePlace | undefined; ;) {
    const page = queryPeople({ ...one, ...(after ? { after } : {}) }, stepContext, generated.lanes)
    people.push(...page.people)
    totals.add(page.total)
    if (!page.more) return { totals, people }
    expect(page.people).toHaveLength(one.limit)
    after = page.people.at(-1)
  }
}

it('equals the naive reference on random worlds, whatever the size of a page', () => {
  let [several, next, pages] = [0, 0, 0]
  fc.assert(
    fc.property(worldOfVisits, fc.array(request, { minLength: 6, maxLength: 6 }), (generated, requests) => {
      for (const one of requests) {
        const expected = naive(generated, one)
        const { totals, people } = allPages(generated, one)
        expect(people).toEqual(expected)
        expect([...totals]).toEqual([expected.length])
        if (people.length > one.limit) several++
        next += people.filter((row) => row.next !== undefined).length
        pages += people.filter((row) => row.last_page !== null).length
      }
    }),
    { numRuns: 60 },
  )
  // shows that none of them passes just because it is always empty
  expect(Math.min(several, next, pages)).toBeGreaterThan(0)
}, 60_000)

it('leaves out the devices that the query excludes, and no others', () => {
  let [found, excluded] = [0, 0]
  fc.assert(
    fc.property(worldOfVisits, request, (generated, one) => {
      const query: PeopleRequest = { ...one, limit: 1_000, count_by: one.count_by === 'session' ? 'session' : 'device' }
      const isKept = (name: string): boolean => /^device-[135]/.test(name)
      const only = (chunk: Chunk): Uint8Array =>
        Uint8Array.from({ length: chunk.summary.devices }, (_, run) => Number(isKept(idAt(chunk.deviceIds(), run))))
      const kept = queryPeople(
        query,
        stepContext,
        generated.lanes.map((lane) => ({ ...lane, only })),
      ).people
      const all = naive(generated, query)
      expect(kept).toEqual(all.filter(({ id }) => isKept(id)))
      found += kept.length
      excluded += all.length - kept.length
    }),
    { numRuns: 120 },
  )
  expect(found).toBeGreaterThan(0)
  expect(excluded).toBeGreaterThan(0)
})

it('refuses a step that the funnel does not have, and a value without its key', () => {
  const query = { from: T0, to: T0 + 1, steps: stepsNamed(['a', 'b']), outcome: 'dropped' as const, limit: 1 }
  for (const step of [0, 1, 3]) expect(() => new PeopleScan({ ...query, step }, stepContext)).toThrow('step')
  expect(() => new PeopleScan({ ...query, step: 2, value: null }, stepContext)).toThrow('value')
})

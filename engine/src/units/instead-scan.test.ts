import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { dropCauses, limits, StagePattern, type InsteadRequest, type InsteadResult } from '@hopper/contracts'
import { naiveAll, naiveValue } from '../contract/naive-filter.ts'
import { naiveIsSelected, naiveOutcomes } from '../contract/naive-funnel.ts'
import { naiveUnits } from '../contract/naive-units.ts'
import { T0, worldOfVisits, type World } from '../contract/random-world.ts'
import { STEP_WINDOW_MS, stepContext, stepFields, stepRequest, stepsNamed } from '../contract/step-requests.ts'
import { InsteadScan, queryInstead } from './instead-scan.ts'

/** The documented definition, without regard to speed. */
function naive(generated: World, request: InsteadRequest): InsteadResult {
  const { from, to, filters = [], count_by = 'person', step, outcome, groups = [] } = request
  const selected = naiveOutcomes(generated, request, stepContext).filter((one) => naiveIsSelected(one, step, outcome))
  const end = to + STEP_WINDOW_MS + limits.sessionPauseMs
  const seen = generated.rows.filter(({ event }) => event.timestamp >= from && event.timestamp < end)
  const units = naiveUnits(generated, seen, count_by)
  const next = (type: string, key: string, elsewhere: boolean): InsteadResult['pages'] => {
    const found = selected.flatMap(({ unit, taken }) => {
      const last = taken[(outcome === 'reached' ? step : taken.length) - 1]!.event.timestamp
      const places = units.get(unit)!.flatMap((row) => {
        const value = naiveValue(row, key)
        if (row.event.type !== type || value === undefined || row.context.bot || !naiveAll(row, filters)) return []
        const place =
          type === 'click' ? value : (groups.find((g) => new StagePattern(g).matches(String(value))) ?? value)
        return [{ time: row.event.timestamp, place: String(place) }]
      })
      const present = elsewhere ? places.findLast(({ time }) => time <= last)?.place : undefined
      const later = places.filter(({ time }) => time > last)
      const stayed = later.filter(({ time }, i) =>
        [{ time: last }, ...later.slice(0, i + 1)].every(
          (one, j, all) => j === 0 || one.time - all[j - 1]!.time < limits.sessionPauseMs || one.time > time,
        ),
      )
      return stayed.find(({ place }) => place !== present)?.place ?? []
    })
    return [...Map.groupBy(found, (place) => place)]
      .map(([value, all]) => ({ value, users: all.length }))
      .sort((a, b) => b.users - a.users || (a.value < b.value ? -1 : 1))
  }
  const pages = next('url_change', 'page', true)
  const clicks = next('click', 'target', false)
  const rest = (rows: InsteadResult['pages']): number =>
    selected.length - rows.reduce((sum, { users }) => sum + users, 0)
  return { people: selected.length, pages, left: rest(pages), clicks, no_click: rest(clicks) }
}

const request: fc.Arbitrary<InsteadRequest> = fc
  .record({
    ...stepFields,
    outcome: fc.constantFrom('reached' as const, 'dropped' as const, 'dropped' as const, ...dropCauses),
    groups: fc.constantFrom(undefined, ['/p1*'], ['*']),
  })
  .map(({ groups, ...fields }) => ({
    ...stepRequest(fields),
    ...(groups ? { groups } : {}),
  }))

it('equals the naive reference on random worlds, and the places add up to the people', () => {
  const users = { pages: 0, left: 0, clicks: 0 }
  fc.assert(
    fc.property(worldOfVisits, fc.array(request, { minLength: 6, maxLength: 6 }), (generated, requests) => {
      for (const one of requests) {
        const found = queryInstead(one, stepContext, generated.lanes)
        expect(found).toEqual(naive(generated, one))
        users.pages += found.people - found.left
        users.clicks += found.people - found.no_click
        users.left += found.left
      }
    }),
    { numRuns: 60 },
  )
  // shows that none of them passes just because it is always empty
  expect(Math.min(...Object.values(users))).toBeGreaterThan(0)
}, 60_000)

it('refuses a step that the funnel does not have, and people who were lost before the first', () => {
  const query = { from: T0, to: T0 + 1, steps: stepsNamed(['a', 'b']), outcome: 'dropped' as const }
  for (const step of [0, 1, 3]) expect(() => new InsteadScan({ ...query, step }, stepContext)).toThrow('step')
})

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DistinctVisitors, type DatedVisitors, type Grouping } from './distinct-visitors.ts'
import type { FirstUsers } from './first-user-cache.ts'

const dates = ['2020-03-28', '2020-03-29', '2020-03-30', '2020-03-31']
const HIGHEST = 40

/** A row of a date: devices are even numbers, users odd ones. */
interface Row {
  readonly date: string
  readonly key: string
  readonly device: number
  readonly user: number
}
interface Identity {
  readonly device: number
  readonly user: number
}

const device = fc.integer({ min: 1, max: HIGHEST / 4 }).map((n) => 2 * n)
const user = fc.integer({ min: 0, max: 3 }).map((n) => 2 * n + 1)
const row = fc.record({
  date: fc.constantFrom(...dates),
  key: fc.constantFrom('a', 'b'),
  device,
  user: fc.oneof(fc.constant(0), user),
})
const change = fc.oneof(row, fc.record({ device, user }))
const groupings: Grouping[] = [
  { name: 'all', groupOf: () => [], byDate: false, byDevice: false },
  { name: 'key', groupOf: (key) => key, byDate: false, byDevice: false },
  { name: 'date', groupOf: (_, date) => [date], byDate: true, byDevice: false },
  { name: 'device', groupOf: (key) => key, byDate: false, byDevice: true },
]

function partitionsOf(rows: readonly Row[]): DatedVisitors[] {
  return dates.map((date, index) => {
    const selected = rows.filter((each) => each.date === date)
    const keys = [...Map.groupBy(selected, ({ key }) => key)].map(([key, same]) => ({
      key: [key],
      devices: Uint32Array.from(same, (each) => each.device),
      users: Uint32Array.from(same, (each) => each.user),
    }))
    return { date, visitors: { id: 1_000 * index + selected.length, keys, highest: HIGHEST } }
  })
}

function firstUsersOf(identities: readonly Identity[]): FirstUsers {
  return {
    id: 1,
    devices: Uint32Array.from(identities, ({ device }) => device),
    users: Uint32Array.from(identities, ({ user }) => user),
    highest: HIGHEST,
  }
}

/** The visitor of each row, by the definition. */
function naive(
  rows: readonly Row[],
  identities: readonly Identity[],
  { groupOf, byDevice }: Grouping,
): Record<string, number> {
  const groups = new Map<string, Set<number>>()
  for (const { date, key, device, user } of rows) {
    const person = user || (identities.find((each) => each.device === device)?.user ?? device)
    const group = JSON.stringify(groupOf([key], date))
    groups.set(group, (groups.get(group) ?? new Set()).add(byDevice ? device : person))
  }
  return Object.fromEntries([...groups].map(([group, { size }]) => [group, size]))
}

it('counts visitors according to the definition, whatever was counted before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(change, { maxLength: 6 }), { minLength: 1, maxLength: 8 }), async (batches) => {
      const distinct = new DistinctVisitors()
      const [rows, identities]: [Row[], Identity[]] = [[], []]
      for (const batch of batches) {
        for (const each of batch)
          if ('date' in each) rows.push(each)
          else identities.push(each)
        for (const grouping of groupings) {
          const counted = await distinct.count(
            partitionsOf(rows),
            dates,
            grouping.byDevice ? [] : [firstUsersOf(identities)],
            grouping,
          )
          expect(Object.fromEntries(counted.map(({ group, count }) => [JSON.stringify(group), count]))).toEqual(
            naive(rows, identities, grouping),
          )
        }
      }
    }),
  )
})

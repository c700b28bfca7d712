import { setTimeout as pause } from 'node:timers/promises'
import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import { withEarlyPrepare, repairPreparing } from './prepare-soon.ts'

const NONE = 'no node is left'
/**
 * Prepares as the driver does: on one node after the other, each of which answers after some time, fails, or is silent.
 */
const driver =
  (nodes: Record<string, number | Error>, tried: string[]) =>
  async (_info: object, plan: Iterator<unknown>): Promise<object> => {
    for (let next = plan.next(); !next.done; next = plan.next()) {
      const node = next.value as string
      tried.push(node)
      const answer = nodes[node]!
      if (answer instanceof Error) throw answer
      await pause(answer)
      return { by: node }
    }
    throw new Error(NONE)
  }
const prepareAt = async (
  nodes: Record<string, number | Error>,
): Promise<{ tried: string[]; ms: number; outcome: unknown }> => {
  const tried: string[] = []
  const started = performance.now()
  const prepare = withEarlyPrepare(driver(nodes, tried), 50)
  const outcome = await prepare({}, Object.keys(nodes).values(), 'SELECT', 'k').catch((error: Error) => error.message)
  return { tried, ms: performance.now() - started, outcome }
}

it('tries one node that answers soon, and the next one too when it does not', async () => {
  expect(await prepareAt({ a: 5, b: 5 })).toMatchObject({ tried: ['a'], outcome: { by: 'a' } })
  const silent = await prepareAt({ a: 2_000, b: 5, c: 5 })
  expect(silent).toMatchObject({ tried: ['a', 'b'], outcome: { by: 'b' } })
  expect(silent.ms).toBeLessThan(1_000)
  expect(await prepareAt({ a: 2_000, b: 2_000, c: 5 })).toMatchObject({ tried: ['a', 'b', 'c'], outcome: { by: 'c' } })
})

it('waits for a slow node when it is the only one, and reports errors of the statement immediately', async () => {
  expect(await prepareAt({ a: 300 })).toMatchObject({ tried: ['a'], outcome: { by: 'a' } })
  const wrong = await prepareAt({ a: new Error('no such table'), b: 5 })
  expect([wrong.tried, wrong.outcome]).toEqual([['a'], 'no such table'])
  await pause(200)
  expect(wrong.tried).toEqual(['a'])
})

it('patches the driver only once', () => {
  const { prototype } = createRequire(import.meta.url)('cassandra-driver/lib/prepare-handler') as {
    prototype: { _prepareWithQueryPlan: unknown }
  }
  repairPreparing()
  const repaired = prototype._prepareWithQueryPlan
  repairPreparing()
  expect(prototype._prepareWithQueryPlan).toBe(repaired)
  expect((repaired as { isRepaired?: true }).isRepaired).toBe(true)
})

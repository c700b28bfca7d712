import { expect, it } from 'vitest'
import { SharedRuns, type Client } from './shared-runs.ts'

const clientOf = (left = new AbortController()): { client: Client; leave(): void } => ({
  client: { signal: left.signal },
  leave: () => left.abort(new Error('left')),
})

it('equal concurrent work runs once, and again when requested later', async () => {
  const runs = new SharedRuns<number>()
  let started = 0
  const work = async (): Promise<number> => ++started
  expect(
    await Promise.all([
      runs.join('a', clientOf().client, work),
      runs.join('a', clientOf().client, work),
      runs.join('b', clientOf().client, work),
    ]),
  ).toEqual([1, 1, 2])
  expect(await runs.join('a', clientOf().client, work)).toBe(3)
})

it('the work continues while a client waits and stops when the last one leaves', async () => {
  const runs = new SharedRuns<number>()
  let stopped = false
  const work = (shared: Client): Promise<number> =>
    new Promise((_, reject) =>
      shared.signal.addEventListener('abort', () => {
        stopped = true
        reject(new Error('stopped'))
      }),
    )
  const [first, second] = [clientOf(), clientOf()]
  const answers = [runs.join('a', first.client, work), runs.join('a', second.client, work)]
  first.leave()
  await expect(answers[0]).rejects.toThrow('left')
  expect(stopped).toBe(false)
  second.leave()
  await expect(answers[1]).rejects.toThrow('left')
  expect(stopped).toBe(true)
  // an abandoned run is not joined: a new one starts
  expect(await runs.join('a', clientOf().client, async () => 7)).toBe(7)
})

it('a failure rejects all clients and is not cached', async () => {
  const runs = new SharedRuns<number>()
  const work = async (): Promise<number> => {
    throw new Error('broken')
  }
  const answers = await Promise.allSettled([
    runs.join('a', clientOf().client, work),
    runs.join('a', clientOf().client, work),
  ])
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await runs.join('a', clientOf().client, async () => 1)).toBe(1)
  const early = clientOf()
  early.leave()
  await expect(runs.join('b', early.client, async () => 1)).rejects.toThrow('left')
})

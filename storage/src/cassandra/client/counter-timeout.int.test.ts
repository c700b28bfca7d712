import { describe, expect, inject, it } from 'vitest'
import { assertOutlastsCounterWrites, parseTimeout } from './counter-timeout.ts'
import { cassandraDefaults } from './settings.ts'

it('parses durations as written by each version of Cassandra', () => {
  expect(['5000', '5000ms', '5s', ' 2 m ', '1h', '5S'].map(parseTimeout)).toEqual([
    5_000, 5_000, 5_000, 120_000, 3_600_000, 5_000,
  ])
  expect(['', 'null', '-1', '5 weeks', '1.5s'].map(parseTimeout)).toEqual(new Array(5).fill(undefined))
})

const engines = inject('engines')
describe.skipIf(!engines)('the wait for an unknown outcome', () => {
  const settings = (unknownOutcomeMs: number): never =>
    ({
      ...cassandraDefaults,
      contactPoints: [engines!.cassandra],
      dataCenter: engines!.dataCenter,
      unknownOutcomeMs,
    }) as never
  const logger = { warn: (_: object, message: string) => expect.fail(message) }

  it('is refused when a node may still apply a write, with the smallest sufficient value in the message', async () => {
    const refused = await assertOutlastsCounterWrites(settings(100), logger).then(
      () => undefined,
      (error: Error) => error,
    )
    expect(refused).toMatchObject({
      code: 'HOP_CONFIG',
      message: expect.stringMatching(/counter_write_request_timeout/),
    })
    const least = Number(/at least (\d+)/.exec(refused!.message)![1])
    await assertOutlastsCounterWrites(settings(least), logger)
    await expect(assertOutlastsCounterWrites(settings(least - 1), logger)).rejects.toMatchObject({ code: 'HOP_CONFIG' })
  })
})

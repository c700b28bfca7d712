import { HopperError } from '@hopper/contracts'
import { expect, it } from 'vitest'
import { causesOf } from './causes.ts'

/** Builds the error that the Cassandra driver throws when no node has answered. */
const ofNodes = (innerErrors: Record<string, Error>): Error =>
  Object.assign(new Error('All host(s) tried for query failed. See innerErrors.'), { innerErrors })

it('reports each cause once, on one line, nearest first', () => {
  const deepest = new Error('wrong password\nand a second line')
  const error = new HopperError('HOP_LOG_UNAVAILABLE', 'Kafka is not available.', {
    cause: new Error('gave up', { cause: new Error('wrong password', { cause: deepest }) }),
  })
  expect(causesOf(error)).toEqual(['gave up', 'wrong password'])
  expect(causesOf(new HopperError('HOP_CONFIG', 'No such thing.'))).toEqual([])
})

it('reports the error of each Cassandra node', () => {
  const cause = ofNodes({
    '10.0.0.1:9042': new Error('bad credentials'),
    '10.0.0.2:9042': new Error('connect ECONNREFUSED'),
  })
  expect(causesOf(new HopperError('HOP_STORE_UNAVAILABLE', 'Cassandra cannot be reached.', { cause }))).toEqual([
    '10.0.0.1:9042: bad credentials',
    '10.0.0.2:9042: connect ECONNREFUSED',
  ])
})

it('is bounded', () => {
  const long = new Error('x'.repeat(10_000))
  const cause = ofNodes(Object.fromEntries(Array.from({ length: 50 }, (_, node) => [`n${node}`, long])))
  const lines = causesOf(new Error('all', { cause }))
  expect(lines).toHaveLength(10)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(400)
})

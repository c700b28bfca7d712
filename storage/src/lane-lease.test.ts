import { expect, it } from 'vitest'
import { assertLeaseHolds, isLeaseExpired } from './lane-lease.ts'

const lease = { lane: 3, owner: 'o', epoch: 1 }

it('a lease holds until its end on the monotonic clock, and no write passes from then on', () => {
  const running = { ...lease, expiresAt: performance.now() + 60_000 }
  expect(isLeaseExpired(running)).toBe(false)
  expect(() => assertLeaseHolds(running)).not.toThrow()
  const ended = { ...lease, expiresAt: performance.now() }
  expect(isLeaseExpired(ended)).toBe(true)
  expect(() => assertLeaseHolds(ended)).toThrow('The lease of lane 3 has run out.')
})

it('a lease that is renewed while it is in use holds until its new end', () => {
  let expiresAt = performance.now()
  const lasting = {
    ...lease,
    get expiresAt() {
      return expiresAt
    },
  }
  expect(isLeaseExpired(lasting)).toBe(true)
  expiresAt = performance.now() + 60_000
  expect(isLeaseExpired(lasting)).toBe(false)
})

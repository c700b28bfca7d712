import { expect, test } from 'vitest'
import { FailureCounter } from './failure-counter.ts'

const WINDOW_MS = 900_000
const isRefused = (counter: FailureCounter, subject: string, now: number): boolean => {
  try {
    counter.check(subject, now)
    return false
  } catch {
    return true
  }
}

test('a subject is refused after its failures, until the window ends', () => {
  const counter = new FailureCounter(3, WINDOW_MS)
  for (let i = 0; i < 3; i++) counter.fail('ann 203.0.113.1', 1_000 + i)
  expect(isRefused(counter, 'ann 203.0.113.1', 2_000)).toBe(true)
  expect(isRefused(counter, 'ann 203.0.113.2', 2_000)).toBe(false)
  expect(isRefused(counter, 'ann 203.0.113.1', 1_000 + WINDOW_MS)).toBe(false)
})

test('a flood of 20,000 other subjects neither resets a subject nor refuses others', () => {
  const counter = new FailureCounter(10, WINDOW_MS)
  for (let i = 0; i < 10; i++) counter.fail('ann attacker', 0)
  for (let i = 0; i < 20_000; i++) counter.fail(`other ${i}`, 1)
  expect(isRefused(counter, 'ann attacker', 2)).toBe(true)
  const refused = Array.from({ length: 1_000 }, (_, i) => isRefused(counter, `new ${i}`, 2)).filter(Boolean)
  expect(refused.length).toBe(0)
})

test('success clears the subject, and a clock that jumps back by a day begins a new window', () => {
  const counter = new FailureCounter(2, WINDOW_MS)
  for (let i = 0; i < 2; i++) counter.fail('ann', 86_400_000)
  counter.succeed('ann')
  expect(isRefused(counter, 'ann', 86_400_000)).toBe(false)
  for (let i = 0; i < 2; i++) counter.fail('ann', 86_400_000)
  expect(isRefused(counter, 'ann', 0)).toBe(false)
})

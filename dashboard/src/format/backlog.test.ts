import { expect, test } from 'vitest'
import { backlogText } from './backlog.ts'

test('a backlog is shown with its size and remaining time, a momentary lag is not', () => {
  const lag = { messages: 1_200, events: 12_000, seconds: 40, remaining_seconds: 19.2 }
  expect(backlogText(lag)).toBe('12,000 events are being counted (about 20.0 s left)')
  expect(backlogText({ ...lag, remaining_seconds: 150 })).toBe(
    '12,000 events are being counted (about 2 min 30 s left)',
  )
  expect(backlogText({ ...lag, events: 1, remaining_seconds: null })).toBe('1 event is being counted')
  expect(backlogText({ ...lag, seconds: 0.4 })).toBeUndefined()
  expect(backlogText({ ...lag, messages: 0, events: 0 })).toBeUndefined()
})

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ApiError, type Client } from './client.ts'
import type { StreamedEvent } from './event-lines.ts'
import { followEvents } from './follow-events.ts'

type Stream = readonly StreamedEvent[] | Error

const view = (data: string, id?: string): StreamedEvent => ({
  event: 'view',
  data,
  ...(id === undefined ? {} : { id }),
})

let abort: AbortController
beforeEach(() => {
  vi.useFakeTimers()
  abort = new AbortController()
})
afterEach(() => void vi.useRealTimers())

/**
 * Follows streams that end or fail in this order; the last one aborts. Returns what the listener and client recorded.
 */
async function follow(...streams: readonly Stream[]): Promise<{ calls: string[]; after: (string | undefined)[] }> {
  const calls: string[] = []
  const after: (string | undefined)[] = []
  const events = async (_path: string, last: string | undefined): Promise<AsyncIterable<StreamedEvent>> => {
    const stream = streams[after.length]
    after.push(last)
    if (after.length === streams.length) abort.abort()
    if (stream instanceof Error) throw stream
    return (async function* () {
      yield* stream ?? []
    })()
  }
  const following = followEvents({ events } as unknown as Client, 'live', abort.signal, {
    opened: () => calls.push('opened'),
    event: ({ data }) => calls.push(data),
    closed: ({ refusal, resumes }) => calls.push(`closed ${refusal ? 'refused' : 'ended'} ${resumes}`),
  })
  await vi.runAllTimersAsync()
  await following
  return { calls, after }
}

it('opens a stream that has ended again, behind the last event with an id', async () => {
  const { calls, after } = await follow([view('a', '1'), view('b')], [view('c')], [])
  expect(after).toEqual([undefined, '1', '1'])
  expect(calls).toEqual(['opened', 'a', 'b', 'closed ended true', 'opened', 'c', 'closed ended true', 'opened'])
})

it('does not resume while no event had an id', async () => {
  const { calls, after } = await follow([view('a')], [])
  expect(after).toEqual([undefined, undefined])
  expect(calls).toEqual(['opened', 'a', 'closed ended false', 'opened'])
})

it('tells a refusal from an outage, and waits longer after it', async () => {
  const start = Date.now()
  const outage = await follow(new ApiError(0, 'HOP_UNREACHABLE', 'no answer'), [])
  expect(outage.calls).toEqual(['closed ended false', 'opened'])
  expect(Date.now() - start).toBe(3_000)

  abort = new AbortController()
  const refused = await follow(new ApiError(403, 'HOP_ROLE', 'not allowed'), [])
  expect(refused.calls).toEqual(['closed refused false', 'opened'])
  expect(Date.now() - start).toBe(63_000)
})

it('ends when it is aborted during the pause, without another call', async () => {
  const events = vi.fn(async () => (async function* (): AsyncGenerator<StreamedEvent> {})())
  const closed = vi.fn()
  const following = followEvents({ events } as unknown as Client, 'live', abort.signal, {
    opened: () => undefined,
    event: () => undefined,
    closed,
  })
  await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce())
  abort.abort()
  await following
  expect(events).toHaveBeenCalledOnce()
})

import type { Event } from '@hopper/contracts'
import { foldBatch } from './fold-batch.ts'
import { judge, NO_PAST, type Message } from '../judge/judge.ts'

const common = { event_id: 'sample', seq: 0, elapsed_time: 1 } as const
/** One valid event of each kind. */
const samples = (timestamp: number): Event[] => [
  { ...common, timestamp, type: 'custom', name: 'n', data: { k: 'v' } },
  { ...common, timestamp, type: 'click', target: '//a', current_url: '/' },
  { ...common, timestamp, type: 'url_change', from: '/', to: '/b' },
  { ...common, timestamp, type: 'btn_time', target: '//a', action: 'hover-then-leave' },
  { ...common, timestamp, type: 'funnel_change', action: 'onClick', funnel: 'f', entered: 1 },
  { ...common, timestamp, type: 'identify', user_id: 'u' },
]

/**
 * Folds a message alone, in memory. Returns the error if that fails, else undefined.
 * @throws the same error when valid events of the same app fail too: the fault is then in our code or in the registry,
 * and no message may become a dead letter for it
 */
export function foldingFailure(message: Message): Error | undefined {
  const failure = failureOf(message)
  if (failure === undefined) return undefined
  const { envelope } = message
  const sample = {
    ...message,
    envelope: { ...envelope, device_id: 'sample', events: samples(envelope.received_at), rejected: [] },
  }
  if (failureOf(sample) !== undefined) throw failure
  return failure
}

function failureOf(message: Message): Error | undefined {
  try {
    foldBatch([message], judge([message], NO_PAST))
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

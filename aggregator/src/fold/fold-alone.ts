import type { Event } from '@hopper/contracts'
import { foldBatch } from './fold-batch.ts'
import { judge, type Message, type Past } from '../judge/judge.ts'

const NOTHING: Past = { firstPositions: new Map(), identities: new Map() }
const any = { event_id: 'sample', seq: 0, elapsed_time: 1 } as const
/** An event of each kind with which nothing is wrong. */
const samples = (timestamp: number): Event[] => [
  { ...any, timestamp, type: 'custom', name: 'n', data: { k: 'v' } },
  { ...any, timestamp, type: 'click', target: '//a', current_url: '/' },
  { ...any, timestamp, type: 'url_change', from: '/', to: '/b' },
  { ...any, timestamp, type: 'btn_time', target: '//a', action: 'hover-then-leave' },
  { ...any, timestamp, type: 'funnel_change', action: 'onClick', funnel: 'f', entered: 1 },
  { ...any, timestamp, type: 'identify', user_id: 'u' },
]

/**
 * Folds a message alone, in memory, and answers what that throws; undefined when it can be folded.
 * @throws what it throws when a message of the same app with which nothing is wrong fails too: the fault is ours, or
 * the registry's, and no message may be buried for it
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
    foldBatch([message], judge([message], NOTHING))
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

import { HopperError, isObject } from '@hopper/contracts'
import type { Translated } from '../batch/batch.ts'
import { instantOf } from '../batch/instant.ts'
import { objectOf, textOf } from './json-values.ts'
import { posthogEvent } from './posthog.ts'

type Fields = Readonly<Record<string, unknown>>

/** Translates a body: one event, a list of them, or `{ api_key, batch: [event], sent_at?, historical_migration? }`. */
export function posthogBatch(body: unknown, query: Fields, receivedAt: number): Translated {
  const { sent_at, historical_migration } = objectOf(body)
  const sentAt = instantOf(sent_at) ?? sentByQuery(query)
  const events = eventsOf(body).map((event) => posthogEvent(event, { sentAt, receivedAt }))
  return { events, sentAt, historical: historical_migration === true }
}

/** Returns the write key, which clients put into the body, or into its events. */
export function posthogKey(body: unknown): string | undefined {
  return keyIn(body) ?? (Array.isArray(body) || isObject(body) ? keyIn(eventsOf(body)[0]) : undefined)
}

function keyIn(value: unknown): string | undefined {
  const { api_key, token, $token, properties } = objectOf(value)
  return textOf(api_key) ?? textOf(token) ?? textOf($token) ?? textOf(objectOf(properties)['token'])
}

function eventsOf(body: unknown): readonly unknown[] {
  if (Array.isArray(body)) return body as unknown[]
  if (!isObject(body))
    throw new HopperError('HOP_BODY_INVALID', 'The body must be an event, a list, or {"batch": [ … ]}.')
  const { batch } = body
  return Array.isArray(batch) ? (batch as unknown[]) : [body]
}

/** Reads the sender's clock from the address, where older clients put it, in ms. */
function sentByQuery({ sent_at, _ }: Fields): number | undefined {
  const text = textOf(sent_at) ?? textOf(_)
  return text === undefined || !/^\d{13}$/.test(text) ? undefined : instantOf(Number(text))
}

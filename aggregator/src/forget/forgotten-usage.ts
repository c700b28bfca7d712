import { usageId, type Forget, type ForgetTally, type Usage } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'

/**
 * Subtracts the events of a forgotten person from what its app has received, at the mean size of the app's events,
 * since their own sizes are no longer known. Idempotent.
 */
export async function subtractUsage(
  { usages, forgetParts }: Pick<Registry, 'usages' | 'forgetParts'>,
  { app, id }: Pick<Forget, 'app' | 'id'>,
): Promise<void> {
  const process = `forgotten ${id}`
  const all = await usages.list(app)
  const received = all.filter((usage) => usage.process !== process)
  const [bytes, events] = [sumOf(received, 'bytes'), sumOf(received, 'events')]
  const parts = (await forgetParts.list(app)).filter((part) => part.forget === id)
  const removed = Math.min(
    events,
    parts.reduce((sum, { tally }) => sum + eventsOf(tally), 0),
  )
  if (removed <= 0) return
  const { date } = all.find((usage) => usage.process === process) ?? received.at(-1)!
  const usage: Usage = { app, process, date, bytes: -Math.round((bytes / events) * removed), events: -removed }
  await usages.put(app, usageId(usage), usage)
}

function eventsOf({ events, repeated, refused }: ForgetTally): number {
  return Object.values(events).reduce((sum, count) => sum + count, repeated + refused)
}

function sumOf(usages: readonly Usage[], name: 'bytes' | 'events'): number {
  return usages.reduce((sum, usage) => sum + usage[name], 0)
}

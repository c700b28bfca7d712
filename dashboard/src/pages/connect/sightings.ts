import type { AppFates, Refusal } from '@hopper/contracts'

/** Older refusals and fates say nothing about a tag that is being put in place now. */
const RECENT_MS = 86_400_000
const REFUSALS_SHOWN = 5

/** Requests refused for one reason, of one origin, with one key. */
export type SeenRefusal = Omit<Refusal, 'date'>

/** Events of an app that were received and are not counted, by fate and reason. */
export interface SeenFate {
  readonly fate: 'bot' | 'rejected'
  readonly reason: string
  readonly events: number
}

/** Returns the refusals of the last day that can be of an app: its own, and those whose key is of no app. */
export function recentRefusals(rows: readonly Refusal[], app: string, now: number): SeenRefusal[] {
  const seen = new Map<string, SeenRefusal>()
  for (const { date: _, ...row } of rows) {
    if (row.last_at < now - RECENT_MS || (row.app !== null && row.app !== app)) continue
    const key = JSON.stringify([row.code, row.app, row.origin, row.key_hint])
    const known = seen.get(key)
    const last_at = Math.max(row.last_at, known?.last_at ?? 0)
    seen.set(key, { ...row, requests: row.requests + (known?.requests ?? 0), last_at })
  }
  return [...seen.values()].sort((a, b) => b.last_at - a.last_at).slice(0, REFUSALS_SHOWN)
}

/** Returns the events of the last two dates of receipt that were a robot's or rejected, the most first. */
export function recentFates({ to, rows }: AppFates): SeenFate[] {
  const from = new Date(Date.parse(`${to}T00:00:00Z`) - RECENT_MS).toISOString().slice(0, 10)
  const seen = new Map<string, SeenFate>()
  for (const { date, fate, reason, events } of rows) {
    if (date < from || (fate !== 'bot' && fate !== 'rejected')) continue
    const key = `${fate} ${reason}`
    seen.set(key, { fate, reason, events: events + (seen.get(key)?.events ?? 0) })
  }
  return [...seen.values()].filter(({ events }) => events > 0).sort((a, b) => b.events - a.events)
}

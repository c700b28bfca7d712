import { expect } from 'vitest'

export const write = 'hw_calls_0123456789abcdef'
export const read = 'hr_calls_0123456789abcdef'
export const admin = 'ha_calls_0123456789abcdef'
export const stages = [1, 2].map((id) => ({ id, name: `Stage ${id}`, url: `/page-${id}` }))
export const funnels = [{ id: 'f', name: 'F', stages }]
export const element = { name: 'Buy', xpath: '//a[1]' }
export const shop = {
  id: 'shop',
  name: 'Shop',
  timezone: 'UTC',
  write_key: write,
  read_key: read,
  funnels,
  elements: [element],
}
export const provision = { organizations: [{ id: 'o', name: 'O', admin_key: admin, apps: [shop] }] }

/** The app as lists of apps show it. */
export const listedApp = { id: 'shop', name: 'Shop', timezone: 'UTC', organization: 'o', retention_days: null }

export const midnight = new Date().setUTCHours(0, 0, 0, 0)
/** An hour ago, but not before midnight: everything is sent on one date. */
export const at = Math.max(midnight, Date.now() - 3_600_000)
export const date = new Date(at).toISOString().slice(0, 10)
export const range = `from=${date}&to=${date}`
export const session = '0f8fad5b-d9cb-469f-a165-70867728950e'

/** Any number, and any text, in an expected answer. */
export const n: unknown = expect.any(Number)
export const text: unknown = expect.any(String)
export const eventId: unknown = expect.stringMatching(/^evt_[0-9a-f]{32}$/)
export const meta = { from: date, to: date, timezone: 'UTC', complete_to: n, settled: false }
export const context = { device: 'server', browser: 'unknown', os: 'unknown' }
/** The context of an event that belongs to a session. */
export const sessionContext = {
  ...context,
  channel: 'direct',
  landing_page: 'shop.example/page-1',
  numbered: true,
}
export const place = { received_at: n, lane: n, position: n, index: n }
export const noCauses = { open: 0, excluded: 0, late: 0, mismatch: 0, before: 0, never: 0 }
export const noTime = { median_ms: null, average_ms: null, p90_ms: null, histogram: [] }
export const taken = { accepted: 1, rejected: [] }
export const segment = { success: true, ...taken }
export const basic = { authorization: `Basic ${btoa(`${write}:`)}` }

export interface Call {
  readonly call: string
  readonly body?: unknown
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly status?: number
  readonly answer: unknown
}

export const event = (event_id: string, seq: number, more: object): object => ({
  event_id,
  seq,
  timestamp: at + seq,
  session_id: session,
  ...more,
})
export const events = [
  event('e1', 0, { type: 'url_change', from: '', to: 'https://shop.example/page-1', elapsed_time: 0 }),
  event('e2', 1, { type: 'btn_time', target: '//a[1]', action: 'hover-then-clicked', elapsed_time: 500 }),
  event('e3', 2, { type: 'click', target: '//a[1]', elapsed_time: 5, current_url: 'https://shop.example/page-1' }),
  event('e4', 3, { type: 'nonsense' }),
]
export const when = { timestamp: new Date(at).toISOString() }

/** The answer of a refused call. */
export function errorOf(code: string): object {
  return { code, message: text }
}

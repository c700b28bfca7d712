import { randomUUID } from 'node:crypto'
import type { Envelope, Event, WireEvent } from '@hopper/contracts'

export const userAgent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

/** Builds a tracker's request: one device, `events` events of the four kinds in turn. */
export function wireEventsOf(events: number, startMs: number): WireEvent[] {
  return Array.from({ length: events }, (_, seq): WireEvent => {
    const base = { event_id: randomUUID(), timestamp: startMs + seq * 250, seq }
    switch (seq % 4) {
      case 0:
        return {
          ...base,
          type: 2,
          from: 'https://shop.example/products',
          to: `https://shop.example/products/${seq}`,
          elapsed_time: 4_200,
        }
      case 1:
        return {
          ...base,
          type: 1,
          target: "//*[@id='add']",
          elapsed_time: 1_300,
          current_url: `https://shop.example/products/${seq}`,
        }
      case 2:
        return {
          ...base,
          type: 3,
          target: "//*[@id='add']",
          action: seq % 8 === 2 ? 'hover-then-leave' : 'hover-then-clicked',
          elapsed_time: 420,
        }
      default:
        return {
          ...base,
          type: 4,
          action: 'onUrlChange',
          funnel: 'checkout',
          entered: (seq % 3) + 2,
          from: (seq % 3) + 1,
          elapsed_time: 9_000,
        }
    }
  })
}

/** Builds bodies of `POST /v1/events`, each of a different device. */
export function bodies(count: number, events: number): string[] {
  return Array.from({ length: count }, () =>
    JSON.stringify({
      device_id: randomUUID(),
      session_id: randomUUID(),
      events: wireEventsOf(events, Date.now() - 60_000),
    }),
  )
}

const names = ['custom', 'click', 'url_change', 'btn_time', 'funnel_change', 'identify'] as const

/** Builds the same as envelopes, as the log contains them. */
export function envelopes(app: string, count: number, events: number): Envelope[] {
  return Array.from({ length: count }, () => {
    const device_id = randomUUID()
    const session_id = randomUUID()
    return {
      version: 1,
      app,
      device_id,
      received_at: Date.now(),
      context: { device: 'desktop', browser: 'Chrome', os: 'Linux' },
      events: wireEventsOf(events, Date.now() - 60_000).map(
        (event) => ({ ...event, type: names[event.type as number], session_id }) as unknown as Event,
      ),
    }
  })
}

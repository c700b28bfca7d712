import type { BotReason } from '@hopper/contracts'

/** A browser that sends traffic, with the values that Hopper must derive from it. */
export interface Agent {
  readonly userAgent: string
  readonly device: string
  readonly browser: string
  readonly os: string
  readonly bot?: BotReason
}

export const agents: readonly Agent[] = [
  {
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    device: 'desktop',
    browser: 'Chrome',
    os: 'Linux',
  },
  {
    userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0',
    device: 'desktop',
    browser: 'Firefox',
    os: 'Windows',
  },
  {
    userAgent:
      'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ' +
      'Version/17.5 Mobile/15E148 Safari/604.1',
    device: 'mobile',
    browser: 'Safari',
    os: 'iOS',
  },
  {
    userAgent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    device: 'unknown',
    browser: '',
    os: '',
    bot: 'user_agent',
  },
]

export interface RandomEvent {
  readonly type: 'click' | 'url_change' | 'btn_time' | 'funnel_change' | 'identify' | 'custom'
  readonly event_id: string
  readonly timestamp: number
  readonly seq: number
  readonly session_id: string
  readonly [field: string]: unknown
}

/**
 * The events of one device in one request. Requests of a device are sent in sequence, so the log has them in this
 * order.
 */
export interface RandomRequest {
  readonly device: string
  readonly agent: Agent
  readonly events: readonly RandomEvent[]
}

export interface Traffic {
  readonly devices: number
  readonly eventsPerDevice: number
  readonly seed: number
  /** the newest time of an event, ms */
  readonly now: number
}

/** Returns the requests by device. The same seed gives the same traffic. */
export function randomTraffic({ devices, eventsPerDevice, seed, now }: Traffic): RandomRequest[][] {
  const random = mulberry32(seed)
  const below = (bound: number): number => Math.floor(random() * bound)
  return Array.from({ length: devices }, (_, device) => {
    const agent = agents[below(20) === 0 ? 3 : below(3)]!
    const requests: RandomRequest[] = []
    let made = 0
    while (made < eventsPerDevice) {
      const count = Math.min(1 + below(8), eventsPerDevice - made)
      const events = Array.from({ length: count }, (_, index) =>
        randomEvent(below, `${seed}-${device}-${made + index}`, device, made + index, now),
      )
      requests.push({ device: `device-${device}`, agent, events })
      made += count
    }
    return requests
  })
}

function randomEvent(
  below: (bound: number) => number,
  id: string,
  device: number,
  seq: number,
  now: number,
): RandomEvent {
  const ageMs = below(40) === 0 ? 20 * 86_400_000 : below(5 * 86_400_000)
  const base = { event_id: id, timestamp: now - ageMs, seq, session_id: `session-${device}-${seq >> 4}` }
  const url = (): string => `https://shop.example/page-${below(12)}${below(3) === 0 ? `?q=${below(9)}#part` : ''}`
  const elapsed_time = below(60_000)
  switch (below(30)) {
    case 0:
      return { ...base, type: 'identify', user_id: `user-${(device % 170) + (below(6) === 0 ? 1_000 : 0)}` }
    case 1:
      return { ...base, type: 'custom', name: 'note', data: { n: below(5) } }
    default:
  }
  switch (below(4)) {
    case 0:
      return { ...base, type: 'click', target: `//*[@id='b${below(9)}']`, elapsed_time, current_url: url() }
    case 1:
      return { ...base, type: 'url_change', from: below(4) === 0 ? '' : url(), to: url(), elapsed_time }
    case 2:
      return {
        ...base,
        type: 'btn_time',
        target: `//*[@id='b${below(9)}']`,
        action: below(2) === 0 ? 'hover-then-leave' : 'hover-then-clicked',
        elapsed_time: below(3) === 0 ? below(8) : elapsed_time,
      }
    default:
      return {
        ...base,
        type: 'funnel_change',
        action: below(2) === 0 ? 'onClick' : 'onUrlChange',
        funnel: 'f',
        entered: 1 + below(5),
        ...(below(3) === 0 ? {} : { from: 1 + below(5) }),
        elapsed_time,
      }
  }
}

/** mulberry32, a small seeded generator of numbers in [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

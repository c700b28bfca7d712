import { Aggregator } from '@hopper/aggregator'
import { backfillProgress, type Envelope, type Event, type Stage } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import fc from 'fast-check'
import { registryFile } from './answers.fixture.ts'

/** The registry of the answers' fixture, without funnels. */
export const withoutFunnels = {
  organizations: registryFile.organizations.map(({ apps, ...rest }) => ({
    ...rest,
    apps: apps.map(({ funnels: _, ...app }) => app),
  })),
}
const noon = Date.parse('2026-03-29T10:00:00Z')
const pages = ['/', '/products/rug', '/products/lamp', '/cart', '/help']
const home: Stage = { id: 1, name: 'home', url: '/' }
const products: Stage = { id: 2, name: 'products', url: '/products*' }
const cart: Stage = { id: 3, name: 'cart', url: '/cart' }
const lamp: Stage = { id: 4, name: 'lamp', url: '/products/lamp' }
const pay: Stage = { id: 5, name: 'pay', click: '#pay' }
/** The funnel over time: it is created, gets a narrower stage, another order, another URL, and loses stages. */
const definitions: readonly (readonly Stage[])[] = [
  [home, products, cart],
  [home, products, cart, lamp],
  [home, lamp, products, cart],
  [home, lamp, { ...products, url: '/products/r*', number: 6 }, cart, pay],
  [home, cart, pay],
  [home, products, cart, pay],
]

const visit = fc.record({
  device: fc.nat(3),
  page: fc.nat(pages.length - 1),
  click: fc.nat(4),
  /** late: received days afterwards; historical: imported */
  arrives: fc.constantFrom('now', 'now', 'now', 'late', 'historical'),
  reported: fc.option(fc.constantFrom(1, 2, 3, 4, 5), { nil: undefined }),
})
/** What is sent before the funnel exists, and after each of its changes. */
export const phases = fc.array(fc.array(visit, { maxLength: 8 }), { minLength: 4, maxLength: 4 })
/** Which definitions the funnel gets, one after the other. */
export const definitionOrders = fc.array(fc.nat(definitions.length - 1), { minLength: 1, maxLength: 3 })
type Visit = typeof visit extends fc.Arbitrary<infer T> ? T : never

/**
 * Events that a server (devices 0 and 1) or a tracker sends in a phase. A sender that knows the funnel reports entered
 * stages.
 */
function envelopesOf(visits: readonly Visit[], n: number): Envelope[] {
  return visits.map(({ device, page, click, reported, arrives }, index) => {
    const timestamp = noon + (n * 20 + index) * 60_000 + (device % 2) * 86_400_000
    const base = { timestamp, session_id: `s${device}` }
    const url = `https://s.example${pages[page]}`
    const events = [
      click === 0
        ? {
            ...base,
            event_id: `c${n}-${index}`,
            seq: 0,
            type: 'click',
            target: "//*[@id='pay']",
            elapsed_time: 5,
            current_url: url,
          }
        : { ...base, event_id: `v${n}-${index}`, seq: 0, type: 'url_change', from: '', to: url, elapsed_time: 9 },
      ...(device > 1 && n > 0 && reported !== undefined
        ? [
            {
              ...base,
              event_id: `f${n}-${index}`,
              seq: 1,
              type: 'funnel_change',
              action: 'onUrlChange',
              funnel: 'f',
              entered: reported,
              from: 1,
              elapsed_time: 7,
            },
          ]
        : []),
    ]
    const context = {
      ...{ device: device > 1 ? ('desktop' as const) : ('server' as const), browser: '', os: '' },
      ...(arrives === 'historical' ? { historical: true as const } : {}),
    }
    return {
      version: 1,
      app: 'berlin',
      device_id: `d${device}`,
      received_at: arrives === 'late' ? timestamp + 20 * 86_400_000 : timestamp,
      context,
      events: events as unknown as Event[],
    }
  })
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('not in time')
    await new Promise((next) => setTimeout(next, 10))
  }
}

/** Sends each phase, with a change of the funnel before all but the first, while an aggregator counts. */
export async function countPhases(
  storage: Storage,
  sent: readonly (readonly Visit[])[],
  order: readonly number[],
): Promise<void> {
  const aggregator = new Aggregator({ ...storage, owner: 'live', archiveBacklogMs: 0, backfillCheckMs: 5 })
  await aggregator.start()
  const isCounted = async (): Promise<boolean> => {
    const [positions, ends] = await Promise.all([storage.lanes.positions(), storage.log.ends()])
    return positions.every((position, lane) => position === ends[lane])
  }
  for (const [n, visits] of sent.entries()) {
    const stages = n === 0 ? undefined : definitions[order[n - 1]! % definitions.length]!
    if (stages) {
      await storage.registry.funnels.put('berlin', 'f', { id: 'f', name: 'F', stages: [...stages] })
      await until(
        async () => backfillProgress(stages, await storage.registry.backfills.list('berlin')).state === 'done',
      )
    }
    if (visits.length > 0) await storage.log.append(envelopesOf(visits, n))
    // Sometimes the next change arrives while these are being counted.
    if (visits.length % 2 === 0) await until(isCounted)
  }
  await until(isCounted)
  await aggregator.close()
}

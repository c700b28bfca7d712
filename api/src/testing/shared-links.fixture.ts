import type { ArchivedEvent, CreatedSharedLink } from '@hopper/contracts'
import { encodeChunks } from '@hopper/engine'
import { openEmbedded } from '@hopper/storage/embedded'
import { expect } from 'vitest'
import { keys, openInstallation, type Installation } from './installation.fixture.ts'

export const DAY_MS = 86_400_000
export const SHARED_DATE = '2026-03-28'
/** 10:00 in Berlin */
export const SHARED_T0 = Date.UTC(2026, 2, 28, 9)
export const app = '/api/v1/apps/shop'
export const admin = { authorization: `Bearer ${keys.admin}` }
export const reader = { authorization: `Bearer ${keys.read}` }
/** the `7d` of the view */
export const range = { from: '2026-03-24', to: '2026-03-30' }
export const mobile = { type: 'eq', key: 'device', value: 'mobile' }
/** the view that is shared by default */
export const view = {
  page: 'funnel',
  funnel: 'checkout',
  range: '7d',
  filters: [{ key: 'device', value: 'mobile' }],
} as const

export type Headers = Record<string, string>
export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers: Record<string, unknown>
}

/** An installation with visits, whose views can be shared and read. */
export interface Sharing {
  readonly hopper: Installation
  /** Shares a view until tomorrow. */
  share(more?: object): Promise<CreatedSharedLink>
  open(link: CreatedSharedLink, more?: object): Promise<Answer>
  /** Opens a link like the page of it does, and returns the headers of its calls. */
  enter(link: CreatedSharedLink, more?: object): Promise<Headers>
}

export async function openSharing(): Promise<Sharing> {
  const hopper = await openInstallation(openEmbedded)
  const { lanes, archive } = hopper.storage
  const lease = await lanes.acquire(0, 'test')
  const events = visits()
  const cover = { app: 'shop', date: SHARED_DATE, lane: 0, first_position: 0, last_position: events.length - 1 }
  await archive!.append(lease, encodeChunks(events, cover))
  await lanes.release(lease)
  const other = { id: 'other', name: 'Other', stages: [{ name: 'a', url: '/a' }] }
  await hopper.send('POST', `${app}/funnels`, other, admin)
  const open: Sharing['open'] = ({ id, url }, more = {}) =>
    hopper.send('POST', `/api/v1/shared-links/${id}/open`, { token: tokenOf(url), ...more })
  return {
    hopper,
    open,
    share: async (more = {}) => {
      const body = { name: 'For the board', view, ends_at: hopper.clock + DAY_MS, ...more }
      const created = await hopper.send('POST', `${app}/shared-links`, body, admin)
      expect([created.status, codeOf(created)]).toEqual([201, undefined])
      return created.body
    },
    enter: async (link, more = {}) => {
      const { status, headers } = await open(link, more)
      expect(status).toBe(200)
      return { cookie: String(headers['set-cookie']).split(';')[0]!, 'x-hopper-share': link.id }
    },
  }
}

export const codeOf = ({ body }: Pick<Answer, 'body'>): string | undefined =>
  (body as { error?: { code: string } } | undefined)?.error?.code

export const tokenOf = (url: string): string => new URL(url).hash.slice(1)

/** Three people on phones, of whom two go on, and one on a desktop who does not. */
function visits(): ArchivedEvent[] {
  const people: { device: 'mobile' | 'desktop'; pages: string[] }[] = [
    { device: 'mobile', pages: ['/home', '/thanks'] },
    { device: 'mobile', pages: ['/home', '/thanks'] },
    { device: 'mobile', pages: ['/home'] },
    { device: 'desktop', pages: ['/home'] },
  ]
  let position = 0
  return people.flatMap(({ device, pages }, person) =>
    pages.map((page, seq): ArchivedEvent => {
      const timestamp = SHARED_T0 + seq * 60_000
      const to = `https://shop.example${page}`
      return {
        event: { type: 'url_change', event_id: `${person}-${seq}`, timestamp, seq, from: '', to, elapsed_time: 0 },
        device_id: `device-${person}`,
        user: '',
        context: { device, browser: 'Firefox', os: 'Linux' },
        received_at: timestamp,
        position: position++,
        index: 0,
      }
    }),
  )
}

import { randomUUID } from 'node:crypto'
import { getJson, type Installation } from '@hopper/e2e'
import { userAgent } from '../harness/bodies.ts'

const DEVICES = 20_000
const PAGES = 200
const ELEMENTS = 20
const EVENTS_PER_REQUEST = 50
const actions = ['hover-then-leave', 'hover-then-clicked'] as const

interface Base {
  readonly event_id: string
  readonly timestamp: number
  readonly seq: number
  readonly session_id: string
}

/** An event as it is sent. */
type SoakEvent = Base & { readonly type: 'url_change' | 'btn_time'; readonly [field: string]: unknown }

interface Hovers {
  hover_leave: number
  elapsed_leave_ms: number
  hover_click: number
  elapsed_click_ms: number
}

/** Makes requests of a soak, and counts independently what Hopper has to count of them. */
export class SoakTraffic {
  readonly #devices = Array.from({ length: DEVICES }, () => ({ id: randomUUID(), session: randomUUID(), seq: 0 }))
  readonly #days = new Map<string, { events: number; views: number; users: Set<string> }>()
  readonly #views = new Map<string, number>()
  readonly #hovers = new Map<string, Hovers>()
  #events = 0

  /** number of events of all requests so far */
  get events(): number {
    return this.#events
  }

  /** Makes a request of 50 events of one device: views of pages, and hovers over elements. */
  next(): { device: string; agent: { userAgent: string }; events: readonly SoakEvent[] } {
    const device = this.#devices[Math.floor(Math.random() * DEVICES)]!
    const events = Array.from({ length: EVENTS_PER_REQUEST }, (_, index): SoakEvent => {
      const timestamp = Date.now()
      const base = { event_id: randomUUID(), timestamp, seq: device.seq++, session_id: device.session }
      this.#count(timestamp, device.id, index % 2 === 0)
      return index % 2 === 0 ? this.#view(base) : this.#hover(base)
    })
    return { device: device.id, agent: { userAgent }, events }
  }

  #count(timestamp: number, device: string, isView: boolean): void {
    const date = new Date(timestamp).toISOString().slice(0, 10)
    const day = this.#days.get(date) ?? { events: 0, views: 0, users: new Set<string>() }
    this.#days.set(date, day)
    day.events++
    if (isView) day.views++
    day.users.add(device)
    this.#events++
  }

  #view(base: Base): SoakEvent {
    const url = `soak.example/p${Math.floor(Math.random() * PAGES)}`
    this.#views.set(url, (this.#views.get(url) ?? 0) + 1)
    return { ...base, type: 'url_change', from: '', to: `https://${url}`, elapsed_time: 0 }
  }

  #hover(base: Base): SoakEvent {
    const target = `//*[@id='e${Math.floor(Math.random() * ELEMENTS)}']`
    const action = actions[Math.floor(Math.random() * 2)]!
    const elapsed_time = Math.floor(Math.random() * 3_000)
    const hovers = this.#hovers.get(target) ?? {
      hover_leave: 0,
      elapsed_leave_ms: 0,
      hover_click: 0,
      elapsed_click_ms: 0,
    }
    this.#hovers.set(target, hovers)
    if (action === 'hover-then-leave') {
      hovers.hover_leave++
      hovers.elapsed_leave_ms += elapsed_time
    } else {
      hovers.hover_click++
      hovers.elapsed_click_ms += elapsed_time
    }
    return { ...base, type: 'btn_time', target, action, elapsed_time }
  }

  /** Compares the reports of the app with the own counts; returns one line for each number that differs. */
  async differences(installation: Installation, app: string, key: string): Promise<string[]> {
    const dates = [...this.#days.keys()].sort()
    const range = `from=${dates[0]!}&to=${dates.at(-1)!}`
    const rows = async (path: string): Promise<readonly Record<string, unknown>[]> => {
      const { rows: all } = await getJson<{ rows: Record<string, unknown>[] }>(
        installation,
        `/api/v1/apps/${app}/${path}`,
        key,
      )
      return all
    }
    const wrong: string[] = []
    const compare = (name: string, found: unknown, wanted: number): void => {
      if (found !== wanted) wrong.push(`${name}: ${JSON.stringify(found)} instead of ${wanted}`)
    }
    const traffic = await rows(`traffic?${range}&by=day`)
    for (const [date, { events, views, users }] of this.#days) {
      const row = traffic.find(({ time }) => String(time).startsWith(date))
      compare(`events of ${date}`, row?.['events'], events)
      compare(`views of ${date}`, row?.['views'], views)
      compare(`users of ${date}`, row?.['users'], users.size)
    }
    const pages = await rows(`pages/views?${range}`)
    for (const [url, views] of this.#views)
      compare(`views of ${url}`, pages.find((row) => row['url'] === url)?.['views'], views)
    const elements = await rows(`elements/actions?${range}`)
    for (const [xpath, hovers] of this.#hovers) {
      const row = elements.find((one) => one['xpath'] === xpath)
      for (const [field, count] of Object.entries(hovers) as [keyof Hovers, number][])
        compare(`${field} of ${xpath}`, row?.[field], count)
    }
    compare('number of pages', pages.length, this.#views.size)
    compare('number of elements', elements.length, this.#hovers.size)
    return wrong
  }
}

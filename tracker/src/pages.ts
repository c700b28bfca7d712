import { randomId } from './random-id.ts'
import { key, options } from './settings.ts'
import { clock, resume } from './clock.ts'
import { silent } from './store.ts'
import { config, whenConfigured } from './configuration.ts'
import { attempt } from './attempt.ts'
import { enqueue } from './queue.ts'
import type { EventOf, EventType, Stage } from '@hopper/contracts'
import { current, here, isOver, join, renew, saveDevice } from './session.ts'

/** State of the tab across page loads. */
interface TabState {
  /** session */
  s?: string | undefined
  /** clock; absent while a page is open */
  c?: number
  /** stage in each funnel, with the time since when */
  f: Record<string, [stage: number, since: number] | undefined>
}
let tab: TabState = { c: 0, f: {} }

/** Address of the tab's page, and the time since when; '': the page is not counted. */
let address = ''
let since: number

/** Time at which the tab's session began. */
let begunAt: number

/** Wire number of each kind (docs/events.md). */
interface Kinds {
  0: 'custom'
  1: 'click'
  2: 'url_change'
  3: 'btn_time'
  4: 'funnel_change'
  5: 'identify'
}
type Added = 'type' | 'event_id' | 'timestamp' | 'client_time' | 'session_id' | 'seq' | 'samplerate'
/** Fields of one kind; fields without a value are not sent. */
type Fields<T extends EventType> = {
  [K in keyof Omit<EventOf<T>, Added>]: EventOf<T>[K] | (undefined extends EventOf<T>[K] ? undefined : never)
}

/**
 * Records one event in the session of this tab. A measurement that ends after its session gets the time of the
 * session's last event, and is dropped when another tab has begun another session.
 */
export const track = <N extends keyof Kinds>(type: N, fields: Fields<Kinds[N]>, timestamp?: number): void => {
  const device = current()
  timestamp ||= isOver(device) ? device.t : Date.now()
  if (silent < 2 && device.s === tab.s) {
    device.t = timestamp
    if (type === 4) device.f = 1
    enqueue(
      JSON.stringify({
        timestamp,
        session_id: options.cookieless ? undefined : tab.s,
        seq: device.n++,
        type,
        event_id: randomId(),
        ...fields,
      }),
    )
    saveDevice(device)
  }
}

/**
 * Takes the state of the tab out of its storage, which has it only while no page is open: a tab that is opened as a
 * copy of this one finds nothing, and begins a state. A browser opens that storage slowly, so it is left alone in a
 * session without stages. A page from the back/forward cache, which may be shown before the other page is left,
 * continues with its own state.
 */
export const enterTab = (): void => {
  if (current().f)
    attempt(() => {
      tab = { ...tab, ...(JSON.parse(sessionStorage[key] as string) as TabState) }
      delete sessionStorage[key]
    })
  resume(tab.c!)
  delete tab.c
}

/** Ends the time on the page, and stores the state for the tab's next page. */
export const leaveTab = (): void => {
  leave()
  tab.c = clock() || 1
  if (!options.cookieless && !silent && current().f) attempt(() => (sessionStorage[key] = JSON.stringify(tab)))
}

/** Returns whether this document has been left: it may be in the back/forward cache. */
export const isLeft = (): unknown => tab.c

/** Reports the time on the page that is left. */
export const leave = (): void => {
  if (address) track(2, { from: address, to: '', elapsed_time: clock() - since })
  address = ''
}

/** Returns the text that identifies a page: the parts of its address that the configuration selects, or all of it. */
const pageOf = (url: string): string => (config ? String(url.match(RegExp(config.page, 'g'))) : url)

/**
 * Follows the session, which may have begun again after a pause or in another tab, and the address. Reports a page that
 * the session or the tab has come to.
 */
export const navigate = (fresh?: unknown): void => {
  // routers write to the history of a document that has been left
  if (isLeft()) return
  const device = current()
  const over = isOver(device) || fresh
  // Tabs that open at the same moment each begin a session. A page that was reported in the other session stays
  // counted.
  if (over || (device.s !== tab.s && !(Math.abs(device.b - begunAt) < 2e3))) {
    leave()
    if (over) renew()
    tab = { f: {} }
  }
  ;[tab.s, begunAt] = join()
  const to = here()
  if (address !== to && pageOf(address) !== pageOf(to)) {
    const now = clock()
    track(2, { from: address, to, elapsed_time: address ? now - since : 0 })
    address = to
    since = now
    enter('onUrlChange', ({ test }) => pageOf(to).match(test))
  }
}

/** Enters, in each funnel, the furthest stage that the test accepts, as soon as the funnels are known. */
export const enter = (
  action: 'onUrlChange' | 'onClick',
  accepts: (stage: Stage & { test: string }) => unknown,
): void => {
  const now = clock()
  const timestamp = Date.now()
  whenConfigured
    .then(({ funnels }) =>
      funnels.map(({ id, stages }) => {
        const entered = stages.findLast((stage) => attempt(() => accepts(stage)))?.id
        const [from, before = now] = tab.f[id] || []
        if (entered !== undefined && entered !== from) {
          tab.f[id] = [entered, now]
          track(4, { action, funnel: id, entered, from, elapsed_time: now - before }, timestamp)
        }
      }),
    )
    .catch(() => {})
}

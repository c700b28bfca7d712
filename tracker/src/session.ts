import { pauseMs } from './clock.ts'
import { randomId } from './random-id.ts'
import { key, options } from './settings.ts'
import { load, save } from './store.ts'

/** The device with its current session. Names are short because the record is stored and the script should be small. */
export interface Device {
  /** id of the device */
  d: string
  /** id of its session */
  s: string
  /** beginning of the session, ms since the epoch */
  b: number
  /** `seq` of its next event */
  n: number
  /** time of its last event, ms since the epoch */
  t: number
  /** set once a tab has entered a stage in the session */
  f?: 1
  /** source of the session, language and screen, as they are sent with each request */
  h?: { source?: { landing_page: string } }
}
let device = {} as Device
let referrer = document.referrer

/** marks the events that this page has queued: no two pages begin at the same microsecond */
const pageId = performance.timeOrigin

/**
 * Beginning of each request, which describes the sender of its events: the app's key, the id of this
 * page, then JSON.
 */
export let header: string

/** Address of the page, with at most as many characters as the server takes. */
export const here = (): string => location.href.slice(0, 2048)

/** Returns the device with the session that its tabs share; that of this page where nothing is stored. */
export const current = (): Device => (device = load<Device>() || device)

/** Returns whether the session of a device has ended with a pause. */
export const isOver = ({ t }: Device): boolean => !(Math.abs(Date.now() - t) < pauseMs)

/** Returns whether the visitor has come by a campaign or an advertisement, and not by a reload of that page. */
export const isNewCampaign = (): boolean =>
  options.new_session_at_campaign &&
  /[?&](utm_|gclid|msclkid|fbclid)/.test(location.search) &&
  current().h?.source?.landing_page !== here()

/** Begins a session. */
export const renew = (): void => {
  const source: Record<string, string> = { referrer, landing_page: here() }
  new URLSearchParams(location.search).forEach((value, name) => {
    if (/^utm_(source|medium|campaign|term|content)$/.test(name)) source[name] = value
    if (/^(gclid|msclkid|fbclid)$/.test(name)) source['click_id'] = name
  })
  device = {
    d: device.d || randomId(),
    s: randomId(),
    b: Date.now(),
    n: 0,
    t: Date.now(),
    h: {
      // where nothing is stored, a page reached from inside of the site cannot know its session's source, ingest does
      source: options.cookieless && referrer.startsWith(`${location.origin}/`) ? undefined : source,
      language: navigator.language,
      // the widths are `screenWidths` of contracts
      screen: screen.width < 768 ? 'small' : screen.width < 1280 ? 'medium' : 'large',
    } as never,
  }
  // only the first session of a page came from there
  referrer = ''
  save(device)
}

/** Joins the session; returns it, and when it began. */
export const join = (): [session: string, begunAt: number] => {
  header =
    key +
    pageId +
    JSON.stringify(options.cookieless ? { cookieless: true, ...device.h } : { device_id: device.d, ...device.h })
  return [device.s, device.b]
}

/** Makes this device the one of the page; a device without an id is new. */
export const saveDevice = (changed: Partial<Device>): unknown => save((device = changed as Device))

// the script contains its modules in the order of these imports; this order compresses to the fewest bytes
import { clock } from './clock.ts'
import { endpoint, identifyApp, options } from './settings.ts'
import { forgetAll, send, sendLeaving, sendNow } from './queue.ts'
import { open, seal, silent, unseal } from './store.ts'
import { enter, enterTab, isLeft, leave, leaveTab, navigate, track } from './pages.ts'
import { arrive, prepareLink } from './links.ts'
import type { Data, EarlyCall, Hopper, HopperMethods } from './api.ts'
import { pointAt, type Pointer } from './hover.ts'
import { attempt } from './attempt.ts'
import { saveDevice, current, here, isNewCampaign } from './session.ts'
import { configure } from './configuration.ts'
import { acting, within, xpathOf } from './element.ts'

let clicked: number

/** Fields of DOM events that the tracker reads. */
interface DomEvent {
  composedPath(): EventTarget[]
  persisted: boolean
  relatedTarget: EventTarget | null
  pointerType: Pointer
}
const targetOf = (event: DomEvent): Element => event.composedPath()[0] as Element

const listeners: Record<string, (event: DomEvent) => unknown> = {
  popstate: () => navigate(),
  pageshow: ({ persisted }) => {
    if (persisted) {
      enterTab()
      navigate()
    }
  },
  pointerover: (event) => {
    pointAt(targetOf(event), event.pointerType)
    if (options.cross_domains) prepareLink(targetOf(event)).catch(() => {})
  },
  // a finger is lifted before its click
  pointerout: ({ relatedTarget, pointerType }) => relatedTarget || pointerType === 'touch' || pointAt(),
  click: (event) => {
    const element = targetOf(event)
    const target = within(element, acting)
    // the control of a label gets a click of its own
    if (target || !(within(element, 'label') as HTMLLabelElement | null)?.control) {
      navigate()
      const now = clock()
      // no XPath finds the parts of an SVG image
      const xpath = xpathOf(target || within(element, ':not(svg,svg *)'))
      track(1, { target: xpath, elapsed_time: now - clicked, current_url: here() })
      clicked = now
      pointAt(element, undefined, true)
      enter('onClick', ({ click }) => within(element, click!))
    }
  },
  visibilitychange: () => {
    clock()
    // a lock that is granted after a page was left would take it out of the back/forward cache
    if (document.hidden && !isLeft()) sendNow()
  },
  online: send,
  pagehide: () => {
    pointAt()
    leaveTab()
    sendLeaving()
  },
}
if (options.cross_domains) listeners['focusin'] = (event) => prepareLink(targetOf(event)).catch(() => {})

const record = (type: 0 | 5, fields: { name?: string; user_id?: unknown }, data?: Data): void => {
  navigate()
  // a value that JSON cannot express must not lose the event
  track(type, { ...fields, data: attempt(() => JSON.parse(JSON.stringify(data)) as unknown) } as never)
}

const methods: HopperMethods = {
  track: (name, data) => record(0, { name }, data),
  identify: (user_id, traits) => record(5, { user_id }, traits),
  reset: () => {
    leave()
    saveDevice({})
  },
  consent: (given) => {
    if (!given) methods.optOut()
    else if (silent) {
      unseal()
      saveDevice(current())
      void configure()
      send()
    }
  },
  optOut: () => {
    forgetAll()
    saveDevice({})
    seal()
  },
}

declare global {
  interface Window {
    hopper?: Hopper & { q?: EarlyCall[] }
  }
}

const begin = async (): Promise<void> => {
  const { q = window.hopper ? 0 : [] } = window.hopper || {}
  if (q) {
    const hopper = (window.hopper = ((...call) => hopper.track(...call)) as Hopper)
    for (const name in methods) hopper[name as 'track'] = (...call) => attempt(() => methods[name as 'track'](...call))
    open()
    enterTab()
    if (options.cross_domains && !silent) await arrive().catch(() => {})
    clicked = clock()
    navigate(isNewCampaign())
    for (const type in listeners)
      addEventListener(type, (event) => attempt(() => listeners[type]!(event as never)), true)
    for (const name of ['pushState', 'replaceState'] as const) {
      const original = history[name].bind(history)
      history[name] = (...state) => {
        original(...state)
        attempt(navigate)
      }
    }
    if (!silent) void configure()
    q.map(([name, ...call]) => hopper[name](...(call as [never])))
  }
}

const go = (): unknown => begin().catch(() => {})

/**
 * Begins to track with a write key, beside an address of the server, unless a tracker runs already. A page that the
 * dashboard has opened for picking an element is not tracked; the picker is not loaded where the tag pins its script.
 */
export const start = (writeKey: string, address: string, isPinned?: unknown): void => {
  identifyApp(writeKey, address)
  if (/hopper-pick=/.test(location.hash)) {
    if (!isPinned) import(/* webpackIgnore: true */ /* @vite-ignore */ endpoint('picker.js')).catch(() => {})
  } else if ((document as { prerendering?: boolean }).prerendering)
    // a page that is loaded ahead of time begins when it is shown
    document.addEventListener('prerenderingchange', go)
  else go()
}

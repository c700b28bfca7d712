import { attempt } from './attempt.ts'
import { enter } from './funnels.ts'
import { pointAt, pointBy, type Pointer } from './hover.ts'
import { matching } from './pattern.ts'
import { move } from './place.ts'
import { send } from './queue.ts'
import { track } from './track.ts'
import { xpathOf } from './xpath.ts'

let clicked = Date.now()

/** Records a change of the address; a page load counts as one even with the same address. */
const onNavigate = (_event?: unknown, loaded?: boolean): void => {
  const now = Date.now()
  const url = new URL(location as never)
  move(
    '',
    url.href,
    now,
    (from = '', since) => {
      track(2, { from, to: url.href }, since, now)
      enter('onUrlChange', now, matching(url))
    },
    loaded,
  )
}

/** Fields of DOM events that the tracker reads. */
interface DomEvent {
  target: Element
  relatedTarget: EventTarget | null
  pointerType: Pointer
}
const listeners: Record<string, (event: DomEvent) => unknown> = {
  popstate: onNavigate,
  pageshow: onNavigate,
  pointerover: (event) => pointBy(event.pointerType),
  mouseover: (event) => pointAt(event.target),
  mouseout: (event) => event.relatedTarget || pointAt(null),
  click: ({ target }) => {
    track(1, { target: xpathOf(target), current_url: location.href }, clicked)
    clicked = Date.now()
    pointAt(target, true)
    enter('onClick', clicked, ({ click }) => click && target.closest(click))
    setTimeout(send)
  },
  visibilitychange: () => send(),
  pagehide: () => {
    pointAt(null)
    send(true)
  },
}
for (const type in listeners) addEventListener(type, (event) => attempt(() => listeners[type]!(event as never)), true)

for (const name of ['pushState', 'replaceState'] as const) {
  const original = history[name].bind(history)
  history[name] = (...state) => {
    original(...state)
    onNavigate()
  }
}
onNavigate(0, true)

type Data = Record<string, string | number | boolean>

/** `hopper('name', {data})` records a custom event; `hopper.identify('user')` identifies the visitor. */
const hopper = (name?: string, data?: Data, user_id?: string): unknown =>
  attempt(() => track(name ? 0 : 5, { name, data, user_id } as never))
hopper.identify = (user: string, data?: Data): unknown => hopper(undefined, data, user)

declare global {
  interface Window {
    hopper?: typeof hopper & { q?: Parameters<typeof hopper>[] }
  }
}
window.hopper?.q?.map((call) => hopper(...call))
window.hopper = hopper

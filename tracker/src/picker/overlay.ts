import type { PickedElement } from '@hopper/contracts'
import { elementAt, isDirection, neighbourOf } from './at-point.ts'
import { Panel } from './panel.ts'
import { proposalsFor, textOf, type Proposal } from './proposals.ts'
import { styles } from './styles.ts'

/** Events that a page would react to. */
const input = [
  ...['pointerdown', 'pointerup', 'pointermove', 'pointerover', 'pointerout', 'pointerenter', 'pointerleave'],
  ...['mousedown', 'mouseup', 'mousemove', 'mouseover', 'mouseout', 'click', 'dblclick', 'auxclick', 'contextmenu'],
  ...['touchstart', 'touchmove', 'touchend', 'keydown', 'keyup', 'keypress', 'beforeinput', 'dragstart'],
]
const FINGERPRINTS_MAX = 5
const URL_CHARS_MAX = 2048

type State = 'picking' | 'choosing' | 'paused' | 'done'

/** Sends the picked element; returns why that failed, undefined once it is accepted. */
export type Send = (picked: PickedElement) => Promise<string | undefined>

/**
 * Layer over the page in which an element is picked by pointer or keys. It takes all input, so that the page does
 * nothing, except while it is paused.
 */
export class Overlay {
  readonly #send: Send
  readonly #host = document.createElement('hopper-picker')
  readonly #shield = document.createElement('div')
  readonly #frame = document.createElement('div')
  readonly #panel: Panel
  #current: Element | undefined
  #state: State = 'picking'

  constructor(send: Send) {
    this.#send = send
    this.#panel = new Panel({
      choose: (proposal, all) => void this.#choose(proposal, all),
      back: () => this.#pick(),
      pause: () => (this.#state === 'paused' ? this.#pick() : this.#pause()),
    })
    this.#shield.className = 'shield'
    this.#frame.className = 'frame'
    this.#frame.hidden = true
  }

  /** Lays itself over the page. */
  open(): void {
    const root = this.#host.attachShadow({ mode: 'open' })
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(styles)
    // neither of these is an inline style, which a page's policy may refuse
    root.adoptedStyleSheets = [sheet]
    root.append(this.#shield, this.#frame, this.#panel.element)
    this.#host.tabIndex = -1
    document.documentElement.append(this.#host)
    // the top layer, above whatever the page has put there
    this.#host.popover = 'manual'
    this.#host.showPopover()
    for (const type of input) addEventListener(type, (event) => this.#onInput(event), { capture: true, passive: false })
    const redraw = (): void => this.#draw()
    addEventListener('scroll', redraw, true)
    addEventListener('resize', redraw)
    this.#pick()
  }

  #onInput(event: Event): void {
    const path = event.composedPath()
    if (this.#state === 'paused' && !path.includes(this.#host)) return
    if (event instanceof KeyboardEvent) return this.#onKey(event)
    event.stopImmediatePropagation()
    if (path.includes(this.#panel.element)) {
      if (event.type === 'click') this.#panel.press(path)
      return
    }
    if (event.cancelable) event.preventDefault()
    if (this.#state !== 'picking' || !(event instanceof MouseEvent)) return
    const { type, clientX, clientY } = event
    if (type === 'pointermove') this.#point(this.#elementAt(clientX, clientY))
    if (type === 'click') this.#offer(this.#elementAt(clientX, clientY))
  }

  #onKey(event: KeyboardEvent): void {
    const { key, type } = event
    // buttons of the panel are pressed as usual; other keys, and those that the page would see, are not passed on
    const isOfPanel = this.#panel.hasFocus && (key === 'Tab' || key === ' ' || key === 'Enter')
    event.stopImmediatePropagation()
    if (isOfPanel || key === 'Tab') return
    event.preventDefault()
    if (type !== 'keydown') return
    if (key === 'Escape') this.#pick()
    if (this.#state !== 'picking') return
    if (key === 'Enter') this.#offer(this.#current)
    if (isDirection(key)) this.#move(key)
  }

  #move(direction: Parameters<typeof neighbourOf>[1]): void {
    const next = neighbourOf(this.#current ?? document.body, direction)
    if (!next || next === this.#host) return
    next.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    this.#point(next)
  }

  #elementAt(x: number, y: number): Element | undefined {
    this.#shield.style.pointerEvents = 'none'
    const found = elementAt(x, y)
    this.#shield.style.pointerEvents = ''
    return found === this.#host ? undefined : found
  }

  #point(element: Element | undefined): void {
    this.#current = element
    this.#draw()
    if (element) this.#panel.name(element.localName, textOf(element))
  }

  #draw(): void {
    const box = this.#current?.getBoundingClientRect()
    this.#frame.hidden = !box || this.#state === 'paused'
    if (!box) return
    const { style } = this.#frame
    style.transform = `translate(${box.x}px, ${box.y}px)`
    style.width = `${box.width}px`
    style.height = `${box.height}px`
  }

  #offer(element: Element | undefined): void {
    if (!element) return
    this.#point(element)
    this.#set('choosing')
    this.#panel.showProposals(proposalsFor(element))
  }

  #pick(): void {
    if (this.#state === 'done') return
    this.#set('picking')
    this.#panel.showHint()
    this.#host.focus({ preventScroll: true })
  }

  #pause(): void {
    this.#set('paused')
    this.#panel.showPaused()
  }

  #set(state: State): void {
    this.#state = state
    this.#shield.hidden = state === 'paused'
    this.#draw()
  }

  async #choose({ css, xpath }: Proposal, all: readonly Proposal[]): Promise<void> {
    const others = all.filter((other) => other.css !== css && other.matches === 1 && other.stability !== 'low')
    // a choice that no selector can express is sent alone, since other selectors would take precedence over it
    const selectors = css === undefined ? [] : [css, ...others.map((other) => other.css)]
    this.#panel.showSending()
    const failure = await this.#send({
      page: location.href.split('#')[0]!.slice(0, URL_CHARS_MAX),
      name: textOf(this.#current!),
      xpath,
      fingerprints: selectors.filter((each) => each !== undefined).slice(0, FINGERPRINTS_MAX),
    })
    if (failure !== undefined) return this.#panel.showFailure(failure)
    this.#set('done')
    this.#panel.showDone()
  }
}

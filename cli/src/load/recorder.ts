import { pageUrlOf, StagePattern, type EventOf, type Funnel, type WireEvent } from '@hopper/contracts'

const CLICK_PAUSE_MS_MAX = 1_800_000

/**
 * Records the events that the tracker would send while one visitor moves through the shop. Only `wait` advances the
 * clock.
 */
export class Recorder {
  readonly events: WireEvent[] = []
  readonly #session: string
  readonly #origin: string
  readonly #funnels: readonly Funnel[]
  readonly #stages = new Map<string, { id: number; sinceMs: number }>()
  #nowMs: number
  #page = ''
  #pageSinceMs: number
  #clickedMs: number

  constructor(session: string, origin: string, funnels: readonly Funnel[], startMs: number) {
    this.#session = session
    this.#origin = origin
    this.#funnels = funnels
    this.#nowMs = this.#pageSinceMs = this.#clickedMs = startMs
  }

  get nowMs(): number {
    return this.#nowMs
  }

  wait(ms: number): void {
    this.#nowMs += ms
  }

  /** Shows a page of the shop; `path` may contain a query string. */
  open(path: string): void {
    const to = `${this.#origin}${path}`
    this.#add('url_change', {
      from: this.#page,
      to,
      elapsed_time: this.#page === '' ? 0 : this.#nowMs - this.#pageSinceMs,
    })
    this.#page = to
    this.#pageSinceMs = this.#nowMs
    const page = pageUrlOf(to)
    for (const { id, stages } of this.#funnels) {
      const stage = stages.findLast(({ url }) => url !== undefined && new StagePattern(url).matches(page))
      if (stage) this.#enter(id, stage.id, 'onUrlChange')
    }
  }

  /** Clicks an element, named by XPath as in the tracker, and by the selector that a stage may use. */
  click({ xpath, selector }: ShopElement): void {
    this.#add('click', {
      target: xpath,
      elapsed_time: Math.min(this.#nowMs - this.#clickedMs, CLICK_PAUSE_MS_MAX),
      current_url: this.#page,
    })
    this.#clickedMs = this.#nowMs
    for (const { id, stages } of this.#funnels) {
      const stage = stages.findLast(({ click }) => click !== undefined && click === selector)
      if (stage) this.#enter(id, stage.id, 'onClick')
    }
  }

  /** Rests the pointer on an element, then leaves it or clicks it. */
  hover(element: ShopElement, ms: number, clicked: boolean, pointer: EventOf<'btn_time'>['pointer']): void {
    this.wait(ms)
    this.#add('btn_time', {
      target: element.xpath,
      action: clicked ? 'hover-then-clicked' : 'hover-then-leave',
      elapsed_time: ms,
      pointer,
    })
    if (clicked) this.click(element)
  }

  identify(user: string): void {
    this.#add('identify', { user_id: user })
  }

  #enter(funnel: string, entered: number, action: 'onClick' | 'onUrlChange'): void {
    const left = this.#stages.get(funnel)
    if (left?.id === entered) return
    this.#add('funnel_change', {
      action,
      funnel,
      entered,
      ...(left && { from: left.id }),
      elapsed_time: left ? this.#nowMs - left.sinceMs : 0,
    })
    this.#stages.set(funnel, { id: entered, sinceMs: this.#nowMs })
  }

  #add(type: string, fields: Record<string, unknown>): void {
    const seq = this.events.length
    this.events.push({
      type,
      event_id: `${this.#session}-${seq}`,
      timestamp: this.#nowMs,
      session_id: this.#session,
      seq,
      ...fields,
    })
  }
}

/** An element of the shop's pages, as the tracker and as a stage name it. */
export interface ShopElement {
  readonly xpath: string
  readonly selector?: string
}

import type { EventOf } from '@hopper/contracts'
import { attempt } from './attempt.ts'
import { watched } from './configuration.ts'
import { track } from './track.ts'

/** `undefined` where the browser does not support pointer events. */
export type Pointer = EventOf<'btn_time'>['pointer']

let pointer: Pointer

/** Notes the pointer type: a tap also fires mouse events, which do not carry it. */
export const pointBy = (type: Pointer): unknown => (pointer = type)

/**
 * Handles the pointer at this target (none: it has left the page), or a click on it. A hover ends once: left or
 * clicked.
 */
export const pointAt = (target: Node | null, click = false): void => {
  watched.map((element) => {
    // elements may appear at any time, so the document is queried each time
    const node = attempt(() => {
      const found = document.evaluate(element.xpath, document)
      for (let node; (node = found.iterateNext());) if (node.contains(target)) return node
    })
    if ((node === element.node) === click) {
      const action = `hover-then-${click ? 'clicked' : 'leave'}` as const
      if (element.since) track(3, { target: element.xpath, action, pointer: element.by }, element.since)
      element.since = click || !node ? 0 : Date.now()
      element.node = node
      element.by = pointer
    }
  })
}

import type { EventOf } from '@hopper/contracts'
import { attempt } from './attempt.ts'
import { watched } from './configuration.ts'
import { track } from './track.ts'

/** `undefined` where the browser knows no pointer events. */
export type Pointer = EventOf<'btn_time'>['pointer']

let pointer: Pointer

/** Notes what the visitor points with: a tap makes events of a mouse too, which do not say so. */
export const pointBy = (type: Pointer): unknown => (pointer = type)

/**
 * The pointer is at this target now (at none: it has left the page), or has clicked it. A hover ends once: left or
 * clicked.
 */
export const pointAt = (target: Node | null, click = false): void => {
  watched.map((element) => {
    // elements may appear at any time, so this asks the document each time
    const node = attempt(() => {
      const found = document.evaluate(element.xpath, document)
      for (let node; (node = found.iterateNext());) if (node.contains(target!)) return node
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

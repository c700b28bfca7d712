import { attempt } from './attempt.ts'
import { watched } from './configuration.ts'
import { track } from './track.ts'

/** The pointer is at this target now (at none: it has left the page), or has clicked it. A hover ends once: left or clicked. */
export const pointAt = (target: Node | null, click = false): void => {
  watched.map((element) => {
    // elements may appear at any time, so this asks the document each time
    const node = attempt(() => {
      const found = document.evaluate(element.xpath, document)
      for (let node; (node = found.iterateNext()); ) if (node.contains(target!)) return node
    })
    if ((node === element.node) === click) {
      if (element.since) track(3, { target: element.xpath, action: `hover-then-${click ? 'clicked' : 'leave'}` }, element.since)
      element.since = click || !node ? 0 : Date.now()
      element.node = node
    }
  })
}

import { paintBox } from './paint-box.ts'
import { paintShape } from './paint-shape.ts'
import { paintText } from './paint-text.ts'

/**
 * Paints an element and what is in it as the page shows it, at the place that it has from `origin`. It knows what
 * charts are made of: boxes, borders, stripes, text, and lines, paths, rectangles and circles of SVG.
 */
export function paintElement(context: CanvasRenderingContext2D, element: Element, origin: DOMRect): void {
  const style = getComputedStyle(element)
  if (style.display === 'none' || style.visibility === 'hidden' || element.classList.contains('unseen')) return
  context.save()
  context.globalAlpha *= Number(style.opacity)
  if (element instanceof SVGElement) paintShape(context, element, origin)
  else if (style.display !== 'contents') {
    const outline = paintBox(context, element, origin)
    if (style.overflowX === 'hidden') context.clip(outline)
  }
  for (const child of element.childNodes) {
    if (child instanceof Text) paintText(context, child, origin)
    else if (child instanceof Element && child.tagName !== 'title') paintElement(context, child, origin)
  }
  context.restore()
}

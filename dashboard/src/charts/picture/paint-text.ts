import { shorten } from './picture-frame.ts'

/** Paints the text of a node where the browser has laid it out, line by line. */
export function paintText(context: CanvasRenderingContext2D, node: Text, origin: DOMRect): void {
  const parent = node.parentElement
  if (!parent || node.data.trim() === '') return
  const style = getComputedStyle(parent)
  context.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`
  context.fillStyle = parent instanceof SVGElement ? style.fill : style.color
  context.letterSpacing = style.letterSpacing === 'normal' ? '0px' : style.letterSpacing
  context.direction = style.direction === 'rtl' ? 'rtl' : 'ltr'
  context.textAlign = 'left'
  const { fontBoundingBoxAscent: ascent } = context.measureText('x')
  const cased = (text: string): string => (style.textTransform === 'uppercase' ? text.toUpperCase() : text)
  if (style.textOverflow === 'ellipsis' && parent.scrollWidth > parent.clientWidth) {
    const { left, top, width } = parent.getBoundingClientRect()
    const fits = (part: string): boolean => context.measureText(part).width <= width
    const text = rectsOf(node, 0, node.data.length)[0]
    context.fillText(shorten(cased(node.data), fits), left - origin.left, (text?.top ?? top) - origin.top + ascent)
    return
  }
  // a canvas has no digits of one width, so they are put into the middle of their places one by one
  const parts = style.fontVariantNumeric.includes('tabular-nums') ? /\d|[^\s\d]+/g : /\S+/g
  for (const { text, left, top, width } of piecesOf(node, parts)) {
    const indent = text.length === 1 ? (width - context.measureText(text).width) / 2 : 0
    const place = [left + indent - origin.left, top - origin.top + ascent] as const
    // the halo of a name over a chart
    if (style.paintOrder.startsWith('stroke')) {
      context.strokeStyle = style.stroke
      context.lineWidth = parseFloat(style.strokeWidth)
      context.lineJoin = 'round'
      context.strokeText(cased(text), ...place)
    }
    context.fillText(cased(text), ...place)
  }
}

interface Piece {
  readonly text: string
  readonly left: number
  readonly top: number
  readonly width: number
}

function piecesOf(node: Text, parts: RegExp): Piece[] {
  return [...node.data.matchAll(parts)].flatMap(({ 0: part, index }) => pieces(node, index, index + part.length))
}

/** Halves a part until each piece is on one line. */
function pieces(node: Text, from: number, to: number): Piece[] {
  const rects = rectsOf(node, from, to)
  if (rects.length === 0) return []
  const text = node.data.slice(from, to)
  const letters = [...text]
  if (rects.length === 1 || letters.length === 1) {
    const { left, top, width } = rects[0]!
    return [{ text, left, top, width }]
  }
  const middle = from + letters.slice(0, letters.length >> 1).join('').length
  return [...pieces(node, from, middle), ...pieces(node, middle, to)]
}

function rectsOf(node: Text, from: number, to: number): DOMRect[] {
  const range = document.createRange()
  range.setStart(node, from)
  range.setEnd(node, to)
  return [...range.getClientRects()].filter(({ width }) => width > 0)
}

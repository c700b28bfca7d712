const COLORS = /(?:rgba?|color|oklab|oklch|lab|lch)\([^()]*\)/g
const SIDES = ['Top', 'Right', 'Bottom', 'Left'] as const

/** Paints the background, stripes and borders of an element. Returns its outline. */
export function paintBox(context: CanvasRenderingContext2D, element: Element, origin: DOMRect): Path2D {
  const style = getComputedStyle(element)
  const { left, top, width, height } = element.getBoundingClientRect()
  const [x, y] = [left - origin.left, top - origin.top]
  const outline = new Path2D()
  outline.roundRect(x, y, width, height, [
    parseFloat(style.borderTopLeftRadius),
    parseFloat(style.borderTopRightRadius),
    parseFloat(style.borderBottomRightRadius),
    parseFloat(style.borderBottomLeftRadius),
  ])
  context.fillStyle = style.backgroundColor
  context.fill(outline)
  if (style.backgroundImage.startsWith('repeating-linear-gradient'))
    paintStripes(context, outline, style.backgroundImage, { x, y, width, height })
  paintBorders(context, style, { x, y, width, height })
  paintMark(context, element, { x, y, height })
  return outline
}

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Paints stripes at 45°, the only gradient of the style sheets. */
function paintStripes(
  context: CanvasRenderingContext2D,
  outline: Path2D,
  gradient: string,
  { x, y, width, height }: Box,
): void {
  const colors = gradient.match(COLORS) ?? []
  const stops = [...gradient.replaceAll(COLORS, '').matchAll(/([\d.]+)px/g)].map(({ 1: px }) => Number(px))
  const [thickness, period] = [stops.find((px) => px > 0) ?? 2, Math.max(4, ...stops)]
  context.save()
  context.clip(outline)
  context.fillStyle = colors.at(-1) ?? 'transparent'
  context.fillRect(x, y, width, height)
  context.strokeStyle = colors[0] ?? 'transparent'
  context.lineWidth = thickness
  for (let start = -height; start < width; start += period * Math.SQRT2) {
    context.beginPath()
    context.moveTo(x + start, y + height)
    context.lineTo(x + start + height, y)
    context.stroke()
  }
  context.restore()
}

function paintBorders(
  context: CanvasRenderingContext2D,
  style: CSSStyleDeclaration,
  { x, y, width, height }: Box,
): void {
  const corners = [
    [x, y],
    [x + width, y],
    [x + width, y + height],
    [x, y + height],
  ] as const
  for (const [index, side] of SIDES.entries()) {
    const thickness = parseFloat(style[`border${side}Width`])
    if (thickness === 0 || style[`border${side}Style`] === 'none') continue
    context.strokeStyle = style[`border${side}Color`]
    context.lineWidth = thickness
    context.setLineDash([])
    context.beginPath()
    context.moveTo(...corners[index]!)
    context.lineTo(...corners[(index + 1) % corners.length]!)
    context.stroke()
  }
}

/** Paints the line before an entry of a legend, which is a border of its pseudo-element. */
function paintMark(
  context: CanvasRenderingContext2D,
  element: Element,
  { x, y, height }: Pick<Box, 'x' | 'y' | 'height'>,
): void {
  const mark = getComputedStyle(element, '::before')
  const thickness = parseFloat(mark.borderTopWidth)
  if (mark.content === 'none' || !(thickness > 0)) return
  context.strokeStyle = mark.borderTopColor
  context.lineWidth = thickness
  context.setLineDash(mark.borderTopStyle === 'dashed' ? [2 * thickness, 2 * thickness] : [])
  context.beginPath()
  context.moveTo(x, y + height / 2)
  context.lineTo(x + parseFloat(mark.width), y + height / 2)
  context.stroke()
  context.setLineDash([])
}

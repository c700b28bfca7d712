/** Paints a shape of an SVG as the style sheet colours it; other elements are not painted. */
export function paintShape(context: CanvasRenderingContext2D, element: SVGElement, origin: DOMRect): void {
  if (!(element instanceof SVGGraphicsElement)) return
  const outline = outlineOf(element)
  const matrix = element.getScreenCTM()
  if (!outline || !matrix) return
  const style = getComputedStyle(element)
  context.save()
  context.translate(-origin.left, -origin.top)
  context.transform(matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)
  const opacity = context.globalAlpha
  if (style.fill !== 'none' && !(element instanceof SVGLineElement)) {
    context.globalAlpha = opacity * Number(style.fillOpacity)
    context.fillStyle = style.fill
    context.fill(outline)
  }
  if (style.stroke !== 'none') {
    context.globalAlpha = opacity * Number(style.strokeOpacity)
    context.strokeStyle = style.stroke
    context.lineWidth = parseFloat(style.strokeWidth)
    context.lineCap = style.strokeLinecap as CanvasLineCap
    context.lineJoin = style.strokeLinejoin as CanvasLineJoin
    context.setLineDash(style.strokeDasharray === 'none' ? [] : style.strokeDasharray.split(/[\s,]+/).map(parseFloat))
    context.stroke(outline)
  }
  context.restore()
}

function outlineOf(element: SVGGraphicsElement): Path2D | undefined {
  if (element instanceof SVGPathElement) return new Path2D(element.getAttribute('d') ?? '')
  const outline = new Path2D()
  if (element instanceof SVGLineElement) {
    outline.moveTo(element.x1.baseVal.value, element.y1.baseVal.value)
    outline.lineTo(element.x2.baseVal.value, element.y2.baseVal.value)
  } else if (element instanceof SVGRectElement) {
    const { x, y, width, height, rx } = element
    outline.roundRect(x.baseVal.value, y.baseVal.value, width.baseVal.value, height.baseVal.value, rx.baseVal.value)
  } else if (element instanceof SVGCircleElement) {
    outline.arc(element.cx.baseVal.value, element.cy.baseVal.value, element.r.baseVal.value, 0, 2 * Math.PI)
  } else return undefined
  return outline
}

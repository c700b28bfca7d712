import { paintElement } from './paint-element.ts'
import { MARGIN, fontOf, layoutHead, shorten, type PictureTexts } from './picture-frame.ts'

/** Pixels of the picture for a pixel of the page. */
const SCALE = 2
/** Browsers have no larger canvas. */
const SIDE_PX_MAX = 16_000
const WIDTH_MIN = 480
const GAP = 16
const FOOT = 40
const PRODUCT = 'Hopper'

/**
 * Makes a PNG of charts of the page below each other, with texts around them. It is painted shape by shape, in the
 * fonts of the page: text stays text, and nothing is loaded. It is always light, whatever the page is.
 */
export async function chartPicture(charts: readonly Element[], texts: PictureTexts): Promise<Blob> {
  const canvas = inLight(() => paint(charts, texts))
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The browser could not make the picture.')))),
  )
}

/** The page is light only until the end of the task, so nobody sees it. */
function inLight<T>(work: () => T): T {
  const { dataset } = document.documentElement
  const theme = dataset['theme']
  dataset['theme'] = 'light'
  try {
    return work()
  } finally {
    if (theme === undefined) delete dataset['theme']
    else dataset['theme'] = theme
  }
}

function paint(charts: readonly Element[], texts: PictureTexts): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d')!
  const places = charts.map((chart) => chart.getBoundingClientRect())
  const inner = Math.max(WIDTH_MIN - 2 * MARGIN, ...places.map(({ width }) => Math.ceil(width)))
  const width = inner + 2 * MARGIN
  const { lines, bottom } = layoutHead(context, texts, inner)
  const height = Math.ceil(places.reduce((sum, place) => sum + place.height + GAP, bottom)) + FOOT
  const scale = Math.min(SCALE, SIDE_PX_MAX / width, SIDE_PX_MAX / height)
  canvas.width = Math.floor(width * scale)
  canvas.height = Math.floor(height * scale)
  context.scale(scale, scale)
  context.fillStyle = token('--surface')
  context.fillRect(0, 0, width, height)
  for (const line of lines) {
    context.font = fontOf(line)
    context.fillStyle = token(line.isTitle ? '--ink' : '--muted')
    context.fillText(line.text, MARGIN, line.top + line.size)
  }
  let top = bottom
  for (const [index, chart] of charts.entries()) {
    context.save()
    context.translate(MARGIN, top)
    paintElement(context, chart, places[index]!)
    context.restore()
    top += places[index]!.height + GAP
  }
  paintFoot(context, texts.app, { width, height })
  return canvas
}

/** Draws the names of the app and of Hopper below a line. */
function paintFoot(
  context: CanvasRenderingContext2D,
  app: string,
  { width, height }: { width: number; height: number },
): void {
  context.fillStyle = token('--line')
  context.fillRect(MARGIN, height - FOOT, width - 2 * MARGIN, 1)
  context.font = fontOf({ isTitle: false })
  context.fillStyle = token('--muted')
  const product = context.measureText(PRODUCT).width
  const fits = (part: string): boolean => context.measureText(part).width <= width - 2 * MARGIN - product - GAP
  context.fillText(shorten(app, fits), MARGIN, height - 15)
  context.fillText(PRODUCT, width - MARGIN - product, height - 15)
}

/** Reads a token as a colour: as a custom property it is an expression. */
function token(name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

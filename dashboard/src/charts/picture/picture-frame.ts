/** Texts around the charts of a picture. */
export interface PictureTexts {
  readonly title: string
  /** scope of the numbers: dates, unit, filters */
  readonly facts: readonly string[]
  /** name of the app */
  readonly app: string
}

/** A text on one line; `top` and `size` in CSS pixels from the top of the picture. */
export interface FrameLine {
  readonly text: string
  readonly top: number
  readonly size: number
  readonly isTitle: boolean
}

export const MARGIN = 24
const FONT = "'Inter Variable', system-ui, sans-serif"
const TITLE = { size: 18, leading: 26, font: `600 18px ${FONT}` }
const FACT = { size: 13, leading: 20, font: `400 13px ${FONT}` }
const GAP = 16
const LINES_MAX = 4

/** Returns the CSS font of a line, as a canvas takes it. */
export function fontOf({ isTitle }: Pick<FrameLine, 'isTitle'>): string {
  return isTitle ? TITLE.font : FACT.font
}

/** Places the lines above the charts. Returns them and where the charts begin. */
export function layoutHead(
  context: CanvasRenderingContext2D,
  { title, facts }: PictureTexts,
  width: number,
): { lines: FrameLine[]; bottom: number } {
  const lines: FrameLine[] = []
  let top = MARGIN
  const add = (text: string, isTitle: boolean): void => {
    const { size, leading, font } = isTitle ? TITLE : FACT
    context.font = font
    for (const line of wrap(text, (part) => context.measureText(part).width <= width)) {
      lines.push({ text: line, top, size, isTitle })
      top += leading
    }
  }
  add(title, true)
  for (const fact of facts) add(fact, false)
  return { lines, bottom: top + GAP }
}

/** Breaks a text into lines that fit, at spaces where it can; a text that is too long ends with an ellipsis. */
export function wrap(text: string, fits: (part: string) => boolean): string[] {
  const lines: string[] = []
  let rest = text.trim()
  while (rest !== '' && lines.length < LINES_MAX - 1 && !fits(rest)) {
    const letters = [...rest]
    let count = longest(letters, fits)
    const space = letters.slice(0, count + 1).lastIndexOf(' ')
    if (space > 0) count = space
    lines.push(letters.slice(0, count).join('').trim())
    rest = letters.slice(count).join('').trim()
  }
  return rest === '' ? lines : [...lines, shorten(rest, fits)]
}

/** Shortens a text that does not fit, so that it fits with an ellipsis. */
export function shorten(text: string, fits: (part: string) => boolean): string {
  if (fits(text)) return text
  const letters = [...text]
  return `${letters
    .slice(
      0,
      longest(letters, (part) => fits(`${part}…`)),
    )
    .join('')
    .trimEnd()}…`
}

/** Returns how many letters fit, at least one. */
function longest(letters: readonly string[], fits: (part: string) => boolean): number {
  let [low, high] = [1, letters.length]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fits(letters.slice(0, middle).join(''))) low = middle
    else high = middle - 1
  }
  return low
}

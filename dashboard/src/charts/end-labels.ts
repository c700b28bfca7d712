/** Below this width, only the legend names lines. */
const WIDTH_MIN = 560
const LINES_MAX = 5
const CHARS_MAX = 16
const CHAR_PX = 6.5
/** Distance of the texts of two lines that end near each other. */
const GAP_PX = 15

/** A line that is named. */
interface NamedLine {
  readonly name: string
  readonly color: string
  /** null where there is no value */
  readonly values: readonly (number | null)[]
}

/** The name of a line at its last point. */
export interface EndLabel {
  readonly text: string
  readonly color: string
  /** index of the last point */
  readonly at: number
  readonly y: number
}

/** Returns the room at the right of a chart for the names of its lines; 0 if they are not shown there. */
export function roomForLabels(lines: readonly NamedLine[], width: number): number {
  if (width < WIDTH_MIN || lines.length < 2 || lines.length > LINES_MAX) return 0
  return Math.ceil(Math.max(...lines.map(({ name }) => shortened(name).length)) * CHAR_PX)
}

/** Places the names of lines beside their last points, so that none covers another one. */
export function endLabels(lines: readonly NamedLine[], y: (value: number) => number, bottom: number): EndLabel[] {
  const ends = lines
    .flatMap(({ name, color, values }) => {
      const at = values.findLastIndex((value) => value !== null)
      return at < 0 ? [] : [{ text: shortened(name), color, at, y: y(values[at]!) }]
    })
    .sort((a, b) => a.y - b.y)
  const placed: EndLabel[] = []
  for (const end of ends) placed.push({ ...end, y: Math.max(end.y, (placed.at(-1)?.y ?? -Infinity) + GAP_PX) })
  // those that would be under the axis push the ones above them up
  for (let at = placed.length - 1, limit = bottom; at >= 0; at--, limit -= GAP_PX)
    placed[at] = { ...placed[at]!, y: Math.min(placed[at]!.y, limit) }
  return placed
}

function shortened(name: string): string {
  const letters = [...name]
  return letters.length > CHARS_MAX ? `${letters.slice(0, CHARS_MAX - 1).join('')}…` : name
}

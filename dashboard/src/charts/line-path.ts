interface Point {
  readonly x: number
  readonly y: number
}

/** Returns the SVG path through points; a missing point leaves a gap, and a point alone becomes a dot. */
export function linePath(points: readonly (Point | null)[]): string {
  let path = ''
  let isDown = false
  points.forEach((point, index) => {
    if (point) path += `${isDown ? 'L' : 'M'}${round(point.x)} ${round(point.y)}`
    if (point && !isDown && !points[index + 1]) path += 'h0'
    isDown = point !== null
  })
  return path
}

/** Splits a line where its points begin to be open; the open part begins at the last settled point. */
export function splitAtOpen(
  points: readonly (Point | null)[],
  openFrom: number,
): { settled: (Point | null)[]; open: (Point | null)[] } {
  return {
    settled: points.slice(0, openFrom),
    open: points
      .map((point, index) => (index < openFrom - 1 ? null : point))
      .slice(0, openFrom < points.length ? undefined : 0),
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** Splits items into parts of `size` items; the last part may be smaller. */
export function splitByCount<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}

/** Splits items, in order, into parts with a total weight of at most `max`. A heavier item is a part of its own. */
export function splitByBytes<T>(items: Iterable<T>, weightOf: (item: T) => number, max: number): T[][] {
  const parts: T[][] = []
  let weight = Infinity
  for (const item of items) {
    weight += weightOf(item)
    if (weight > max) {
      parts.push([])
      weight = weightOf(item)
    }
    parts.at(-1)!.push(item)
  }
  return parts
}

/** The items in parts of so many, the last of what is left. */
export function inParts<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size))
}

/** The items in order in parts that weigh no more than `max` together, or are one item. */
export function inPartsByWeight<T>(items: Iterable<T>, weightOf: (item: T) => number, max: number): T[][] {
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

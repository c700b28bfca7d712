/**
 * Returns the newer answer with every unchanged part replaced by the older object, so that React does not render it
 * again.
 */
export function shareUnchanged<T>(older: T | undefined, newer: T): T {
  if (!isRecord(older) || !isRecord(newer)) return newer
  const parts = Object.entries(newer).map(([name, part]) => {
    const before = Object.hasOwn(older, name) ? older[name] : undefined
    return [name, JSON.stringify(before) === JSON.stringify(part) ? before : part]
  })
  return Object.fromEntries(parts) as T
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

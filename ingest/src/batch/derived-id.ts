import { hash } from 'node:crypto'

/** Derives an id from the parts that it identifies: a UUID of version 8 (RFC 9562 section 5.8) from their SHA-256. */
export function derivedId(...parts: readonly unknown[]): string {
  const hex = hash('sha256', canonicalJson(parts), 'hex')
  const variant = ((parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16)
  const [first, second] = [hex.slice(0, 8), hex.slice(8, 12)]
  return `${first}-${second}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** Distinguishes equal contents of one request by how many came before; `repetitions` counts them. */
export function nthId(repetitions: Map<string, number>, content: string): string {
  const before = repetitions.get(content) ?? 0
  repetitions.set(content, before + 1)
  return before === 0 ? content : derivedId(content, before)
}

/**
 * Depth to which values are distinguished: deeper parts do not affect the id. The stack does not overflow at this
 * depth.
 */
const DEPTH_MAX = 64

/** Returns JSON with sorted keys in every object: two senders may write the same content in different orders. */
function canonicalJson(value: unknown, depth = 0): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (depth === DEPTH_MAX) return '…'
  if (Array.isArray(value)) return `[${value.map((each) => canonicalJson(each, depth + 1)).join()}]`
  const fields = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, each]) => `${JSON.stringify(name)}:${canonicalJson(each, depth + 1)}`).join()}}`
}

import { hash } from 'node:crypto'

/**
 * Derives an id from what it must stand for: a UUID of version 8 (RFC 9562 section 5.8) out of the SHA-256 of the
 * parts.
 */
export function derivedId(...parts: readonly unknown[]): string {
  const hex = hash('sha256', canonicalJson(parts), 'hex')
  const variant = ((parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** How deep two values are compared: what lies deeper is the same for an id. No stack ends before that. */
const DEPTH_MAX = 64

/** JSON with the keys of every object in order: two senders may write the same content in another one. */
function canonicalJson(value: unknown, depth = 0): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (depth === DEPTH_MAX) return '…'
  if (Array.isArray(value)) return `[${value.map((each) => canonicalJson(each, depth + 1)).join()}]`
  const fields = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, each]) => `${JSON.stringify(name)}:${canonicalJson(each, depth + 1)}`).join()}}`
}

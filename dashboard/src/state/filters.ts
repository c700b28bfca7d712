import type { Filter, Value } from '@hopper/contracts'

export { SHOW_ROBOTS } from '@hopper/contracts'

/** A filter chip: events whose key has the value; with `not`, those whose key has a different value or none. */
export interface Chip {
  readonly key: string
  readonly value: string
  readonly not?: true
}

/** Formats a chip for the address: `device:mobile`, `!device:mobile`. */
export function chipText({ key, value, not }: Chip): string {
  return `${not ? '!' : ''}${escapeKey(key)}:${value}`
}

/** Parses a chip of the address; undefined if it has no key or no value. */
export function readChip(text: string): Chip | undefined {
  const not = text.startsWith('!')
  const [, key = '', value = ''] = /^((?:[^\\:]|\\.)+):(.*)$/s.exec(not ? text.slice(1) : text) ?? []
  if (key === '' || value === '') return undefined
  return { key: key.replace(/\\(.)/gs, '$1'), value, ...(not ? { not: true } : {}) }
}

/** Returns the condition of a chip. */
export function filterOf({ key, value, not }: Chip): Filter {
  return { type: not ? 'ne' : 'eq', key, value }
}

/** Returns the conditions of chips in an order that does not depend on how they were chosen. */
export function filtersOf(chips: readonly Chip[]): Filter[] {
  return [...chips].sort((a, b) => (chipText(a) < chipText(b) ? -1 : 1)).map(filterOf)
}

/** Adds a chip; one with the same key and value is replaced. */
export function withChip(chips: readonly Chip[], chip: Chip): Chip[] {
  return [...withoutChip(chips, chip), chip]
}

export function withoutChip(chips: readonly Chip[], { key, value }: Chip): Chip[] {
  return chips.filter((one) => one.key !== key || one.value !== value)
}

/** Returns the chip of a value of a breakdown; undefined for no value, which no chip can name. */
export function chipOf(key: string, value: Value | null): Chip | undefined {
  return value === null || value === '' ? undefined : { key, value: String(value) }
}

function escapeKey(key: string): string {
  return key.replace(/[\\:]/g, '\\$&').replace(/^!/, '\\!')
}

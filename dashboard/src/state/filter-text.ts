import { keyName, words } from '../words.ts'
import type { Chip } from './filters.ts'

/** Describes filters in words. */
export function filterText(chips: readonly Chip[]): string {
  return chips
    .map(({ key, value, not }) => `${keyName(key).toLowerCase()} ${not ? words.bar.isNot : words.bar.is} ${value}`)
    .join(', ')
}

const EDITS_MAX = 2
/** Shorter names resemble each other by chance. */
const CHARS_MIN = 3
/** A longer name is unlikely to be a typo, and comparing it is expensive. */
const CHARS_MAX = 64

/**
 * Finds the known name that a sender probably meant: another spelling (`windowMs`), a prefix (`window`) or a typo
 * (`window_sm`).
 */
export function nearName(name: string, known: readonly string[]): string | undefined {
  if (name.length > CHARS_MAX) return undefined
  const plain = plainName(name)
  if (plain.length < CHARS_MIN) return known.find((other) => plainName(other) === plain && plain !== '')
  const equal = known.find((other) => plainName(other) === plain)
  if (equal !== undefined) return equal
  const extended = known.find((other) => {
    const name = plainName(other)
    return name.length >= CHARS_MIN && (name.startsWith(plain) || plain.startsWith(name))
  })
  if (extended !== undefined) return extended
  const ranked = known
    .map((other) => ({ other, edits: editsBetween(plain, plainName(other)) }))
    .sort((a, b) => a.edits - b.edits)
  const best = ranked[0]
  return best !== undefined && best.edits <= Math.min(EDITS_MAX, Math.floor(plain.length / 3)) ? best.other : undefined
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** Computes the optimal string alignment distance: inserted, deleted, substituted and transposed characters. */
function editsBetween(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      const edits = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + change)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      next.push(isSwap ? Math.min(edits, before[j - 2]! + 1) : edits)
    }
    before = row
    row = next
  }
  return row[b.length]!
}

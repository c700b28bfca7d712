import type { Value } from '@hopper/contracts'

const numericText = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

/** Returns the number that a value is or, as a text, represents: the nearest one that a double holds. */
export function numberOf(value: Value | null): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && numericText.test(value) ? Number(value) : undefined
}

/**
 * Compares two numbers, or texts that represent numbers, by their decimal digits; negative if the first is less. A
 * number that a double cannot hold arrives as a text (`withExactNumbers`), and the nearest double is another one. Both
 * must be numeric, see `numberOf`.
 */
export function compareNumbers(a: string | number, b: string | number): number {
  const [near, nearB] = [Number(a), Number(b)]
  // rounding keeps the order, so only equal doubles may differ
  if (near !== nearB) return near < nearB ? -1 : 1
  if (typeof a === 'number' && typeof b === 'number') return 0
  return compareDecimals(decimalOf(String(a)), decimalOf(String(b)))
}

/** The number `sign * 0.DIGITS * 10^exponent`, without zeros around the digits; no digits for zero. */
interface Decimal {
  readonly sign: number
  readonly digits: string
  readonly exponent: number
}

function decimalOf(text: string): Decimal {
  const [, sign, whole = '', fraction = '', exponent = '0'] = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text) ?? []
  const all = whole + fraction
  let begin = 0
  while (all[begin] === '0') begin++
  let end = all.length
  while (end > begin && all[end - 1] === '0') end--
  const digits = all.slice(begin, end)
  return { sign: sign === '-' ? -1 : 1, digits, exponent: whole.length - begin + Number(exponent) }
}

function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.digits === '' || b.digits === '') return (a.digits === '' ? 0 : a.sign) - (b.digits === '' ? 0 : b.sign)
  if (a.sign !== b.sign) return a.sign - b.sign
  if (a.exponent !== b.exponent) return a.exponent < b.exponent ? -a.sign : a.sign
  if (a.digits === b.digits) return 0
  return a.digits < b.digits ? -a.sign : a.sign
}

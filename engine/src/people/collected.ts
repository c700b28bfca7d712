import type { PropertyOperation, Value } from '@hopper/contracts'
import { numberOf } from '../filter/exact-numbers.ts'
import { earlierOf, laterOf, type EventPlace, type PlacedValue } from './event-place.ts'

/**
 * The intermediate result of an operation over some events of a person. Which parts it uses depends on the operation.
 */
export interface Collected {
  amount: number
  first: PlacedValue | undefined
  last: PlacedValue | undefined
  readonly values: Set<Value> | undefined
}

/** Approximate memory in bytes, without values. */
const COLLECTED_BYTES = 160
const PLACED_BYTES = 160
const DISTINCT_BYTES = 48

/** Returns whether an operation needs the order of the events. */
export function isOrdered(operation: PropertyOperation): boolean {
  return operation === 'first' || operation === 'latest' || operation === 'difference'
}

/** Returns whether an operation takes only numbers, and texts that are numbers. */
function isNumeric(operation: PropertyOperation): boolean {
  return operation === 'sum' || operation === 'difference' || operation === 'minimum' || operation === 'maximum'
}

/** Returns what a person has before its first event: an amount that any value replaces, or adds to. */
export function nothingCollected(operation: PropertyOperation): Collected {
  const amount = operation === 'minimum' ? Infinity : operation === 'maximum' ? -Infinity : 0
  return { amount, first: undefined, last: undefined, values: operation === 'unique' ? new Set() : undefined }
}

/** Adds a matching event: its value, how many events it stands for, and its place if the operation needs the order. */
export function collect(
  into: Collected,
  operation: PropertyOperation,
  given: Value,
  weight: number,
  placeOf: () => EventPlace,
): void {
  const value = isNumeric(operation) ? numberOf(given) : given
  if (value === undefined) return
  if (operation === 'count') into.amount += weight
  else if (operation === 'sum') into.amount += weight * (value as number)
  else if (operation === 'minimum') into.amount = Math.min(into.amount, value as number)
  else if (operation === 'maximum') into.amount = Math.max(into.amount, value as number)
  else if (operation === 'unique') into.values!.add(value)
  else {
    const placed = { value, place: placeOf() }
    into.first = earlierOf(into.first, placed)
    into.last = laterOf(into.last, placed)
  }
}

/** Adds the intermediate result of other events; the order does not matter except for the rounding of sums. */
export function mergeCollected(into: Collected, operation: PropertyOperation, from: Collected): void {
  if (operation === 'minimum') into.amount = Math.min(into.amount, from.amount)
  else if (operation === 'maximum') into.amount = Math.max(into.amount, from.amount)
  else into.amount += from.amount
  into.first = earlierOf(into.first, from.first)
  into.last = laterOf(into.last, from.last)
  from.values?.forEach((value) => into.values!.add(value))
}

/** Returns the value of a person: for somebody without matching events 0 for sums and counts, else none. */
export function valueOfCollected(operation: PropertyOperation, collected: Collected | undefined): Value | null {
  const { amount, first, last, values } = collected ?? nothingCollected(operation)
  switch (operation) {
    case 'unique':
      return values!.size
    case 'first':
      return first?.value ?? null
    case 'latest':
      return last?.value ?? null
    case 'difference':
      return first && last ? Number(last.value) - Number(first.value) : null
    default:
      return Number.isFinite(amount) ? amount : null
  }
}

/** Estimates the memory of the intermediate result in bytes. */
export function bytesOfCollected({ first, last, values }: Collected): number {
  let bytes = COLLECTED_BYTES + (first ? PLACED_BYTES : 0) + (last ? PLACED_BYTES : 0)
  if (values) for (const value of values) bytes += bytesOfDistinct(value)
  return bytes
}

/** Estimates the memory of one of the different values that were collected. */
export function bytesOfDistinct(value: Value): number {
  return DISTINCT_BYTES + (typeof value === 'string' ? value.length * 2 : 0)
}

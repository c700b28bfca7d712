import { RE2JS } from 're2js'
import { assertNever, StageMatcher, StagePattern, type Filter, type StageFilter, type Value } from '@hopper/contracts'
import { compareNumbers, numberOf } from './exact-numbers.ts'

/** A test of the value of one key; `null` means that the event does not have the key. */
export interface Atom {
  readonly key: string
  readonly test: (value: Value | null) => boolean
}

/** A boolean expression over the atoms of a set, which are referred to by number. */
export type Expression =
  | { readonly op: 'atom'; readonly atom: number }
  | { readonly op: 'not'; readonly operand: Expression }
  | { readonly op: 'and' | 'or'; readonly operands: readonly Expression[] }

/**
 * The filters of one query, decomposed into atoms that can be tested once per dictionary value. Equal atoms are
 * deduplicated.
 */
export class AtomSet {
  readonly atoms: Atom[] = []
  readonly #numbers = new Map<string, number>()
  readonly #matchers = new Map<string, StageMatcher>()

  /** Compiles the conjunction of the filters; an empty list always holds. */
  compile(filters: readonly Filter[]): Expression {
    return { op: 'and', operands: filters.map((filter) => this.#expression(filter)) }
  }

  /** Returns the distinct keys that an expression of this set tests. */
  keysOf(expression: Expression): string[] {
    switch (expression.op) {
      case 'atom':
        return [this.atoms[expression.atom]!.key]
      case 'not':
        return this.keysOf(expression.operand)
      case 'and':
      case 'or':
        return [...new Set(expression.operands.flatMap((inner) => this.keysOf(inner)))]
    }
  }

  #expression(filter: Filter): Expression {
    if (filter.type === 'not') return { op: 'not', operand: this.#expression(filter.filter) }
    if (filter.type === 'or') return { op: 'or', operands: filter.filters.map((inner) => this.#expression(inner)) }
    const name = JSON.stringify(filter)
    let atom = this.#numbers.get(name)
    if (atom === undefined) {
      this.#numbers.set(name, (atom = this.atoms.length))
      this.atoms.push({ key: filter.key, test: filter.type === 'stage' ? this.#stageTest(filter) : testOf(filter) })
    }
    return { op: 'atom', atom }
  }

  /** Creates the test of a stage. The stages of a funnel share a matcher, which caches its results by value. */
  #stageTest({ key, stages, stage, rule }: StageFilter): Atom['test'] {
    const name = JSON.stringify([stages, rule])
    let matcher = this.#matchers.get(name)
    if (!matcher) this.#matchers.set(name, (matcher = new StageMatcher([{ id: '', stages }], rule)))
    const entered = (text: string): ReturnType<StageMatcher['ofUrl']> =>
      key === 'to' ? matcher.ofUrl(text) : matcher.ofTarget(text)
    return (value) => typeof value === 'string' && entered(value)[0]?.stage === stage
  }
}

/** Returns the distinct keys that atoms test. */
export function keysOfAtoms(atoms: readonly Atom[]): string[] {
  return [...new Set(atoms.map(({ key }) => key))]
}

/** Evaluates an expression for the given truth values of the atoms. */
export function holds(expression: Expression, truth: Uint8Array): boolean {
  switch (expression.op) {
    case 'atom':
      return truth[expression.atom] === 1
    case 'not':
      return !holds(expression.operand, truth)
    case 'and':
      return expression.operands.every((inner) => holds(inner, truth))
    case 'or':
      return expression.operands.some((inner) => holds(inner, truth))
  }
}

/**
 * Computes the possible outcomes of an expression from those of its atoms: 1 = can be true, 2 = can be false, 3 = both.
 */
export function possible(expression: Expression, outcomes: Uint8Array): number {
  switch (expression.op) {
    case 'atom':
      return outcomes[expression.atom]!
    case 'not': {
      const inner = possible(expression.operand, outcomes)
      return ((inner & 1) << 1) | (inner >> 1)
    }
    case 'and':
      return expression.operands.reduce((sum, inner) => both(sum, possible(inner, outcomes)), 1)
    case 'or':
      return expression.operands.reduce((sum, inner) => either(sum, possible(inner, outcomes)), 2)
  }
}

const both = (a: number, b: number): number => (a & b & 1) | ((a | b) & 2)
const either = (a: number, b: number): number => ((a | b) & 1) | (a & b & 2)

function testOf(filter: Exclude<Filter, { type: 'not' | 'or' | 'stage' }>): Atom['test'] {
  switch (filter.type) {
    case 'eq':
      return equality([filter.value])
    case 'ne': {
      const equal = equality([filter.value])
      return (value) => !equal(value)
    }
    case 'in':
      return equality(filter.values)
    case 'pattern': {
      const pattern = new StagePattern(filter.value)
      return (value) => typeof value === 'string' && pattern.matches(value)
    }
    case 'all':
      return (value) => value !== null
    case 'contains':
      return (value) => value !== null && String(value).includes(filter.value)
    case 'regex': {
      // RE2 takes time linear in the value, whatever the pattern
      const pattern = RE2JS.compile(filter.value)
      return (value) => value !== null && pattern.matches(String(value))
    }
    case 'gt':
      return comparison(filter.value, (value, bound) => value > bound)
    case 'lt':
      return comparison(filter.value, (value, bound) => value < bound)
    default:
      return assertNever(filter)
  }
}

/**
 * Tests for equality with any of the values. A number equals a text that represents it. Two texts must be identical:
 * otherwise `007` would equal `7`.
 */
function equality(wanted: readonly Value[]): Atom['test'] {
  const values = new Set<Value | null>(wanted)
  const numbers = new Set(wanted.filter((value) => typeof value === 'number'))
  const texts = wanted.filter((value) => typeof value === 'string' && numberOf(value) !== undefined) as string[]
  const textsOf = Map.groupBy(texts, (text) => numberOf(text)!)
  return (value) => {
    if (values.has(value)) return true
    if (typeof value === 'number') return textsOf.get(value)?.some((text) => compareNumbers(value, text) === 0) ?? false
    if (typeof value !== 'string' || numbers.size === 0) return false
    const number = numberOf(value)
    return number !== undefined && numbers.has(number) && compareNumbers(number, value) === 0
  }
}

/** Compares as numbers if both are numeric, else as texts. */
function comparison(
  bound: string | number,
  holds: <T extends string | number>(value: T, bound: T) => boolean,
): Atom['test'] {
  const isNumber = numberOf(bound) !== undefined
  return (value) => {
    if (isNumber && numberOf(value) !== undefined) return holds(compareNumbers(value as string | number, bound), 0)
    return typeof value === 'string' && typeof bound === 'string' && holds(value, bound)
  }
}

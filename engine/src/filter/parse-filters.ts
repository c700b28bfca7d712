import { HopperError, isWithin, queryLimits, type Filter, type Value } from '@hopper/contracts'
import { RE2JS } from 're2js'
import { isPersonKey } from '../chunk/event-keys.ts'

/** Counts the filters of a query over all its parts. */
export class FilterBudget {
  filters = 0
  regexes = 0
}

/**
 * Validates a list of filters sent by a client.
 * @throws HopperError HOP_PARAM_INVALID with the path of the error, HOP_LIMIT when a limit is exceeded
 */
export function parseFilters(value: unknown, path = 'filters', budget = new FilterBudget()): Filter[] {
  return parseList(value, path, budget, 1)
}

function parseList(value: unknown, path: string, budget: FilterBudget, depth: number): Filter[] {
  if (!Array.isArray(value)) throw invalid(path, 'must be an array of filters')
  if (value.length > queryLimits.filtersMax) throw over(path, 'filtersMax')
  return value.map((item, i) => parseFilter(item, `${path}[${i}]`, budget, depth))
}

function parseFilter(value: unknown, path: string, budget: FilterBudget, depth: number): Filter {
  if (depth > queryLimits.filterDepthMax) throw over(path, 'filterDepthMax')
  if (++budget.filters > queryLimits.filtersTotalMax) throw over(path, 'filtersTotalMax')
  if (typeof value !== 'object' || value === null) throw invalid(path, 'must be an object with a type')
  const filter = value as Record<string, unknown>
  const { type } = filter
  switch (type) {
    case 'not':
      return { type, filter: parseFilter(filter.filter, `${path}.filter`, budget, depth + 1) }
    case 'or': {
      const filters = parseList(filter.filters, `${path}.filters`, budget, depth + 1)
      if (filters.length === 0) throw invalid(`${path}.filters`, 'must not be empty')
      return { type, filters }
    }
    case 'stage':
      // Created from a configured funnel, which was validated when it was saved. Clients cannot send it: the schema
      // that validates their requests has no such filter.
      return filter as unknown as Filter
    case 'all':
      return { type, key: parseKey(filter.key, `${path}.key`) }
    case 'eq':
    case 'ne':
      return { type, key: parseKey(filter.key, `${path}.key`), value: parseValue(filter.value, `${path}.value`) }
    case 'in':
      return { type, key: parseKey(filter.key, `${path}.key`), values: parseValues(filter.values, `${path}.values`) }
    case 'contains':
    case 'regex':
      return {
        type,
        key: parseKey(filter.key, `${path}.key`),
        value:
          type === 'regex'
            ? parseRegex(filter.value, path, budget)
            : parseText(filter.value, `${path}.value`, 'valueCharsMax'),
      }
    case 'gt':
    case 'lt': {
      const bound = parseValue(filter.value, `${path}.value`)
      if (typeof bound === 'boolean') throw invalid(`${path}.value`, 'must be a number or a text')
      return { type, key: parseKey(filter.key, `${path}.key`), value: bound }
    }
    // created from a stage, whose pattern was validated when it was saved
    case 'pattern':
      return { type, key: 'page_url', value: parseText(filter.value, `${path}.value`, 'valueCharsMax') }
    default:
      throw invalid(`${path}.type`, 'must be one of eq, ne, all, in, contains, regex, gt, lt, not, or')
  }
}

function parseRegex(value: unknown, path: string, budget: FilterBudget): string {
  if (++budget.regexes > queryLimits.regexesMax) throw over(path, 'regexesMax')
  const pattern = parseText(value, `${path}.value`, 'regexCharsMax')
  const problem = regexProblem(pattern)
  if (problem !== undefined) throw invalid(`${path}.value`, problem)
  return pattern
}

/** Explains why a text is not a regular expression; undefined if it is one. */
export function regexProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    return `is not a valid RE2 regular expression (${error instanceof Error ? error.message : String(error)})`
  }
}

/** Validates a query key. */
export function parseKey(value: unknown, path: string): string {
  const key = parseText(value, path, 'keyCharsMax')
  if (key === '') throw invalid(path, 'must not be empty')
  return key
}

/** @throws HopperError HOP_PARAM_INVALID if the filters of a computed property test a key of persons */
export function refusePersonKeys(filters: readonly Filter[], path: string): void {
  const named = keysOf(filters).find(isPersonKey)
  if (named !== undefined) throw invalid(path, `cannot test ${named}, which is a value of the person`)
}

function keysOf(filters: readonly Filter[]): string[] {
  return filters.flatMap((filter) => {
    if (filter.type === 'not') return keysOf([filter.filter])
    return filter.type === 'or' ? keysOf(filter.filters) : [filter.key]
  })
}

function parseText(value: unknown, path: string, bound: 'keyCharsMax' | 'valueCharsMax' | 'regexCharsMax'): string {
  if (typeof value !== 'string') throw invalid(path, 'must be a text')
  if (!isWithin(value, queryLimits[bound])) throw over(path, bound)
  return value
}

function parseValue(value: unknown, path: string): Value {
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value
  if (typeof value !== 'string') throw invalid(path, 'must be a text, a number or a boolean')
  return parseText(value, path, 'valueCharsMax')
}

function parseValues(value: unknown, path: string): Value[] {
  if (!Array.isArray(value) || value.length === 0) throw invalid(path, 'must be an array with at least one value')
  if (value.length > queryLimits.filterValuesMax) throw over(path, 'filterValuesMax')
  return value.map((item, i) => parseValue(item, `${path}[${i}]`))
}

/** Creates the error for an invalid part of a query. */
export function invalid(path: string, message: string): HopperError {
  return new HopperError('HOP_PARAM_INVALID', `${path} ${message}.`, {
    details: { fields: [{ field: path, message }] },
  })
}

/** Creates the error for a query that exceeds one of its limits. */
export function over(path: string, bound: keyof typeof queryLimits): HopperError {
  return new HopperError('HOP_LIMIT', `${path} exceeds the limit of ${queryLimits[bound]}.`, {
    details: {
      fields: [{ field: path, message: `exceeds the limit of ${queryLimits[bound]}` }],
      bound,
      max: queryLimits[bound],
    },
  })
}

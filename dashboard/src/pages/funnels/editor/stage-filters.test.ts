import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StageMatcher, pageOf, type Filter, type Stage } from '@hopper/contracts'
import { stageFilters } from './stage-filters.ts'

type TestedEvent = { readonly type: 'url_change' | 'click'; readonly to: string; readonly target: string }

const rule = { keep_parameters: [] }
const fields = ({ type, to, target }: TestedEvent): Record<string, string> =>
  type === 'url_change' ? { type, page: pageOf(to, rule.keep_parameters) } : { type, target }

/** Evaluates the filters that the questions use, as docs/queries.md describes them. */
function holds(filter: Filter, event: Record<string, string>): boolean {
  switch (filter.type) {
    case 'eq':
      return event[filter.key] === filter.value
    case 'regex':
      return event[filter.key] !== undefined && new RegExp(`^(?:${filter.value})$`, 's').test(event[filter.key]!)
    case 'not':
      return !holds(filter.filter, event)
    case 'or':
      return filter.filters.some((one) => holds(one, event))
    case 'all':
      return event[filter.key] !== undefined
    default:
      throw new Error(`no filter of a stage: ${filter.type}`)
  }
}

const paths = ['/', '/products', '/products/', '/products/lamp', '/products/lamp/red', '/cart', '/a.b', '/aXb']
const patterns = [
  '/',
  '/*',
  '/products',
  '/products/*',
  '/products*',
  '/cart/',
  '*lamp*',
  '/a.b',
  'http://shop.example/cart',
]
const targets = [
  "//*[@id='add']",
  "//*[@id='add']/span[1]",
  "//*[@id='adder']",
  "//*[@data-hopper='add']",
  '/html[1]/a[1]',
]
const stage = fc.oneof(
  fc.constantFrom(...patterns).map((url) => ({ url })),
  fc.constantFrom('#add', '[data-hopper=add]', 'a', 'span').map((click) => ({ click })),
  fc.record({ url: fc.constantFrom(...patterns), click: fc.constant('#add') }),
  fc.constant({}),
)
const event: fc.Arbitrary<TestedEvent> = fc.record({
  type: fc.constantFrom('url_change' as const, 'click' as const),
  to: fc.constantFrom(...paths).map((path) => `http://shop.example${path}`),
  target: fc.constantFrom(...targets),
})

describe('the conditions of stages that are not saved', () => {
  it('are those of StageMatcher', () => {
    fc.assert(
      fc.property(fc.array(stage, { minLength: 1, maxLength: 4 }), event, (conditions, one) => {
        const stages = conditions.map((condition, id): Stage => ({ id, name: String(id), ...condition }))
        const matcher = new StageMatcher([{ id: 'f', stages }], rule)
        const wanted = one.type === 'url_change' ? matcher.ofUrl(one.to) : matcher.ofTarget(one.target)
        const entered = stageFilters(conditions).flatMap((filters, id) =>
          filters.every((filter) => holds(filter, fields(one))) ? [id] : [],
        )
        expect(entered).toEqual(wanted.map(({ stage: id }) => id))
      }),
      { numRuns: 2_000 },
    )
  })
})

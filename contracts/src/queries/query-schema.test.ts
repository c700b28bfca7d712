import { Compile } from 'typebox/schema'
import { expect, it } from 'vitest'
import { querySchema } from './query-schema.ts'

type Part = {
  readonly [name: string]: unknown
  readonly examples?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Part>>
}
const schema = querySchema() as Part & { readonly $defs: { readonly Filter: { readonly anyOf: readonly Part[] } } }
const data = schema.properties!['data'] as Part & { readonly items: Part }
const parts: Record<string, Part> = {
  query: schema,
  set: data.items,
  funnel: schema.properties!['funnel']!,
  ...Object.fromEntries(
    schema.$defs.Filter.anyOf.map((filter) => [
      `filter ${String((filter.properties!['type'] as { const: string }).const)}`,
      filter,
    ]),
  ),
}

it('has examples for each part that are valid by its own schema', () => {
  expect(Object.keys(parts).sort()).toEqual([
    'filter all',
    'filter contains',
    'filter eq',
    'filter gt',
    'filter in',
    'filter lt',
    'filter ne',
    'filter not',
    'filter or',
    'filter regex',
    'funnel',
    'query',
    'set',
  ])
  for (const [name, part] of Object.entries(parts)) {
    expect([name, part.examples?.length ?? 0]).not.toEqual([name, 0])
    const validator = Compile({ ...part, $defs: schema.$defs } as never)
    for (const example of part.examples!) expect([name, validator.Check(example)]).toEqual([name, true])
    expect([name, validator.Check({})]).toEqual([name, false])
  }
})

it('refers to a single definition of a filter from every place', () => {
  const text = JSON.stringify(schema)
  expect(new Set([...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, place]) => place))).toEqual(
    new Set(['#/$defs/Filter']),
  )
  expect(text.match(/"\$defs"/g)).toHaveLength(1)
  expect(JSON.stringify(data.items.properties!['filters'])).toContain('"items":{"$ref":"#/$defs/Filter"}')
  expect(
    schema.$defs.Filter.anyOf.filter((filter) => JSON.stringify(filter.properties).includes('"$ref"')),
  ).toHaveLength(2)
})

it('accepts nested filters and rejects unknown fields in any JSON Schema validator', () => {
  const validator = Compile(schema as never)
  const eq = { type: 'eq', key: 'a', value: 1 }
  const query = (filter: object): object => ({
    start: 1,
    end: 2,
    data: [{ name: 'a', filters: [{ type: 'not', filter: { type: 'or', filters: [eq, filter] } }] }],
  })
  expect(
    [query(eq), query({ ...eq, vaule: 1 }), { ...query(eq), limit: 1 }].map((each) => validator.Check(each)),
  ).toEqual([true, false, false])
  expect(JSON.stringify(schema)).not.toContain('"$id"')
})

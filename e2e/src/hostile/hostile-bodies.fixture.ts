/** The subset of JSON Schema that the OpenAPI document of Hopper uses. */
interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly maxItems?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
  readonly examples?: readonly unknown[]
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}
interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> }
}

/** Maximum number of values in a body: recursive schemas would never end. */
const VALUES_MAX = 12_000
const DEPTH_MAX = 14

/** Builds the largest values that a schema permits: full lists, the longest texts, the deepest unions. */
export class LargestValues {
  readonly #schemas: Readonly<Record<string, Schema>>
  #values = 0

  constructor(api: OpenApi) {
    this.#schemas = api.components.schemas
  }

  /** @param width items of a list at most @param chars characters of a text at most */
  of(schema: Schema, width: number, chars: number): unknown {
    this.#values = 0
    return this.#fill(schema, { width, chars, depth: 0 })
  }

  #fill(given: Schema, size: { width: number; chars: number; depth: number }): unknown {
    const schema = this.#resolved(given)
    this.#values++
    if ('const' in schema) return schema.const
    if (schema.enum) return schema.enum.at(-1)
    if (schema.anyOf) return this.#fill(this.#widest(schema.anyOf, size.depth), size)
    const deeper = { ...size, depth: size.depth + 1 }
    switch (schema.type) {
      case 'object': {
        const entries = Object.entries(schema.properties ?? {})
        return Object.fromEntries(entries.map(([name, inner]) => [name, this.#fill(inner, deeper)]))
      }
      case 'array': {
        const items: unknown[] = []
        const most = Math.min(size.width, schema.maxItems ?? Infinity)
        while (items.length < most && this.#values < VALUES_MAX) items.push(this.#fill(schema.items ?? {}, deeper))
        return items
      }
      case 'integer':
      case 'number':
        return schema.maximum ?? 1e15
      case 'boolean':
        return true
      default:
        return 'x'.repeat(Math.min(size.chars, schema.maxLength ?? Infinity))
    }
  }

  /** Prefers the alternative that contains others, and near the bottom one that contains none. */
  #widest(variants: readonly Schema[], depth: number): Schema {
    const resolved = variants.map((variant) => this.#resolved(variant))
    const nests = ({ properties = {} }: Schema): boolean =>
      Object.values(properties).some(({ type, items }) => type === 'array' && items?.$ref !== undefined)
    const nested = resolved.find(nests)
    return depth < DEPTH_MAX && nested ? nested : resolved[0]!
  }

  #resolved(schema: Schema): Schema {
    return schema.$ref === undefined ? schema : (this.#schemas[schema.$ref.split('/').at(-1)!] ?? {})
  }
}

const leaf = { type: 'eq', key: 'a', value: 'b' }
const repeat = <T>(times: number, value: T): T[] => Array.from({ length: times }, () => value)
const nested = (depth: number, wrap: (inner: unknown) => unknown, inner: unknown): unknown =>
  depth === 0 ? inner : nested(depth - 1, wrap, wrap(inner))
const or = (filters: unknown[]): unknown => ({ type: 'or', filters })
const bad = { type: 'eq', key: 'a', value: {} }

/** Lists of filters that are hostile each in its own way. */
export const hostileFilters: Readonly<Record<string, readonly unknown[]>> = {
  'wide unions with one fault at the end': [...repeat(16, or(repeat(100, leaf))), bad],
  'wide unions without a fault': repeat(17, or(repeat(100, leaf))),
  'deep unions': [nested(8, (inner) => or([inner, inner]), leaf)],
  'deep negations': repeat(
    40,
    nested(18, (filter) => ({ type: 'not', filter }), bad),
  ),
  'long lists of values': repeat(12, { type: 'in', key: 'a', values: [...repeat(999, 1), {}] }),
  'regular expressions': repeat(50, { type: 'regex', key: 'a', value: `(${'a?'.repeat(240)}){1,9}` }),
  'nested repetitions': repeat(50, { type: 'regex', key: 'a', value: '((((a{1,30}){1,30}){1,30}){1,30}){1,30}' }),
  'unknown fields': repeat(100, Object.fromEntries(repeat(60, 0).map((_, index) => [`valeu${index}`, index]))),
  'long texts': repeat(20, { type: 'contains', key: 'k'.repeat(200), value: 'v'.repeat(2_048) }),
}

/** Wraps filters into what the queries of the API have in common. */
export function queryOf(filters: readonly unknown[]): object {
  return {
    start: '2026-01-01',
    end: '2026-01-31',
    from: '2026-01-01',
    to: '2026-01-31',
    data: [{ name: 'all', filters }],
    steps: [
      { name: 'one', filters },
      { name: 'two', filters: [] },
    ],
    first: filters,
    again: [],
    filters,
  }
}

const deepData = '{"a":'.repeat(9_000) + '1' + '}'.repeat(9_000)

/** Bodies that need no schema, as they are sent. */
export const hostileTexts: Readonly<Record<string, string>> = {
  'a list of numbers': `{"filters":[${'1,'.repeat(30_000)}1]}`,
  'a million brackets': '['.repeat(500_000) + ']'.repeat(500_000),
  'objects without an end': '{"a":'.repeat(200_000),
  'many names': JSON.stringify(Object.fromEntries(repeat(4_000, 0).map((_, index) => [`name${index}`, index]))),
  'names of prototypes': '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}},"toString":1}',
  'a long text': JSON.stringify({ name: 'x'.repeat(950_000) }),
  escapes: `{"name":"${'\\u0000'.repeat(10_000)}"}`,
  'half pairs': `{"name":"${'\\ud800'.repeat(10_000)}"}`,
  'long numbers': `{"limit":${'9'.repeat(60_000)}}`,
  'blank space': `${' '.repeat(900_000)}{}`,
  'events of many keys': JSON.stringify({
    device_id: 'd',
    events: repeat(400, {
      type: 'custom',
      name: 'n',
      timestamp: 1_767_225_600_000,
      data: Object.fromEntries(repeat(64, 0).map((_, index) => [`k${index}`, index])),
    }),
  }),
  'a thousand invalid events': JSON.stringify({ events: repeat(1_000, { type: 'click', target: {}, x: [[[[1]]]] }) }),
  'deep data': `{"device_id":"d","events":[{"type":"custom","name":"n","data":${deepData}}]}`,
  'long paths': JSON.stringify({
    device_id: 'd',
    events: repeat(200, {
      type: 'click',
      target: `/${'a[1]/'.repeat(1_000)}`,
      current_url: `http://x/${'%41'.repeat(1_400)}`,
    }),
  }),
  messages: JSON.stringify(repeat(1_000, { type: 'EVENT', timestamp: 1, name: 'n'.repeat(900) })),
  'a batch': JSON.stringify({
    batch: repeat(1_000, { type: 'track', event: 'e', properties: { a: { b: { c: 'x'.repeat(600) } } } }),
  }),
}

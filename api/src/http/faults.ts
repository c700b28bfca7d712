import { isObject, nearName } from '@hopper/contracts'
import { Check } from 'typebox/schema'

/** A fault in one field of a request. */
export interface Fault {
  /** path of the faulty field, like `steps[0].filters[1].type`; empty for the whole value */
  readonly field: string
  readonly message: string
}

/** The subset of JSON Schema that requests use. */
interface Schema {
  readonly $ref?: string
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null'
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly description?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly pattern?: string
  readonly additionalProperties?: boolean | Schema
  /** fields that cannot be changed, with the reason */
  readonly 'x-fixed'?: Readonly<Record<string, string>>
}

const FAULTS_MAX = 20
const NAME_CHARS_MAX = 100
const VALUE_CHARS_MAX = 60
const KNOWN_NAMES_MAX = 20

/**
 * Explains in plain words why a value does not match a schema, each fault with the path of its field. In a union it
 * checks only the alternative that was meant, so that one mistake yields one message.
 */
export function faultsOf(schema: object, definitions: Readonly<Record<string, object>>, value: unknown): Fault[] {
  const walk = new FaultWalk(definitions)
  walk.visit(schema, value, '')
  return walk.faults
}

class FaultWalk {
  readonly faults: Fault[] = []
  private readonly definitions: Readonly<Record<string, Schema>>

  constructor(definitions: Readonly<Record<string, Schema>>) {
    this.definitions = definitions
  }

  visit(schema: Schema, value: unknown, path: string): void {
    if (this.faults.length >= FAULTS_MAX) return
    const resolved = this.resolved(schema)
    const choices = choicesOf(resolved, (each) => this.resolved(each))
    if (choices)
      return choices.includes(value) ? undefined : this.add(path, `must be ${oneOf(choices)}${notThis(value)}`)
    if (resolved.anyOf)
      return this.visitUnion(
        resolved.anyOf.map((each) => this.resolved(each)),
        value,
        path,
      )
    if (resolved.type === 'object') return this.visitObject(resolved, value, path)
    if (resolved.type === 'array') return this.visitArray(resolved, value, path)
    const wrong = scalarFault(resolved, value)
    if (wrong !== undefined) this.add(path, wrong)
  }

  private visitObject(schema: Schema, value: unknown, path: string): void {
    if (!isObject(value)) return this.add(path, 'must be an object')
    const { properties = {}, required = [] } = schema
    const known = Object.keys(properties)
    for (const name of Object.keys(value)) {
      if (this.faults.length >= FAULTS_MAX) return
      if (!Object.hasOwn(properties, name) && schema.additionalProperties === false)
        this.add(fieldPath(path, name), unknownField(schema, name, known))
    }
    for (const name of required) {
      if (!Object.hasOwn(value, name)) this.add(fieldPath(path, name), `is required${this.allowed(properties[name])}`)
    }
    for (const [name, inner] of Object.entries(properties)) {
      const part = (value as Record<string, unknown>)[name]
      if (Object.hasOwn(value, name) && part !== undefined) this.visit(inner, part, fieldPath(path, name))
    }
  }

  private visitArray({ items, minItems = 0, maxItems = Infinity }: Schema, value: unknown, path: string): void {
    if (!Array.isArray(value)) return this.add(path, 'must be an array')
    if (value.length < minItems)
      this.add(path, minItems === 1 ? 'must not be empty' : `must have at least ${minItems} items`)
    if (value.length > maxItems) return this.add(path, `has ${value.length} items; at most ${maxItems} are allowed`)
    if (!items) return
    for (const [index, item] of value.entries()) {
      if (this.faults.length >= FAULTS_MAX) return
      this.visit(items, item, `${path}[${index}]`)
    }
  }

  /** Selects the variant of an object by the field that names its kind, of other values by their type. */
  private visitUnion(variants: readonly Schema[], value: unknown, path: string): void {
    const kind = kindField(variants)
    if (kind !== undefined) {
      const kinds = variants.map(({ properties }) => properties![kind]!.const)
      if (!isObject(value)) return this.add(path, `must be an object with "${kind}": ${oneOf(kinds)}`)
      if (!Object.hasOwn(value, kind)) return this.add(fieldPath(path, kind), `is required: ${oneOf(kinds)}`)
      const chosen = value[kind]
      const variant = variants[kinds.indexOf(chosen)]
      return variant
        ? this.visit(variant, value, path)
        : this.add(fieldPath(path, kind), `must be ${oneOf(kinds)}${notThis(chosen)}`)
    }
    if (variants.some((variant) => this.accepts(variant, value))) return
    const meant = variants.find(({ type }) => type !== undefined && hasType(type, value))
    if (meant) return this.visit(meant, value, path)
    this.add(path, `must be ${joinWithOr(variants.map(({ type }) => typeName(type)))}`)
  }

  /** Returns whether a variant of a union without a kind accepts a value, most of which are simple values. */
  private accepts(variant: Schema, value: unknown): boolean {
    const { type } = variant
    if (type === undefined || type === 'object' || type === 'array')
      return Check({ ...variant, $defs: this.definitions } as never, value)
    return hasType(type, value) && isPlainlyValid(variant, value)
  }

  private allowed(schema: Schema | undefined): string {
    const resolved = schema && this.resolved(schema)
    const choices = resolved && choicesOf(resolved, (each) => this.resolved(each))
    if (choices) return `: ${oneOf(choices)}`
    return resolved?.description === undefined ? '' : `: ${resolved.description}`
  }

  private resolved(schema: Schema): Schema {
    return schema.$ref === undefined ? schema : (this.definitions[schema.$ref.split('/').at(-1)!] ?? schema)
  }

  private add(field: string, message: string): void {
    if (this.faults.length < FAULTS_MAX) this.faults.push({ field, message })
  }
}

/** Builds the path of a nested field; names that are not identifiers are quoted, long ones truncated. */
export function fieldPath(path: string, name: string): string {
  const short = name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX)}…` : name
  if (!/^[A-Za-z_$][\w$-]*…?$/.test(short)) return `${path}[${JSON.stringify(short)}]`
  return path === '' ? short : `${path}.${short}`
}

function unknownField(schema: Schema, name: string, known: readonly string[]): string {
  const fixed = schema['x-fixed'] ?? {}
  if (Object.hasOwn(fixed, name)) return fixed[name]!
  const near = nearName(name, known)
  if (near !== undefined) return `is unknown here; did you mean ${near}?`
  if (known.length === 0) return 'is unknown here; none is expected'
  return known.length > KNOWN_NAMES_MAX ? 'is unknown here' : `is unknown here; known: ${known.join(', ')}`
}

function scalarFault(schema: Schema, value: unknown): string | undefined {
  const { type, minLength = 0, maxLength = Infinity, pattern, description, minimum, maximum } = schema
  if (type === undefined) return undefined
  if (!hasType(type, value)) return `must be ${typeName(type)}${boundsText(schema)}`
  if (isPlainlyValid(schema, value)) return undefined
  if (type === 'integer' || type === 'number')
    return `must be ${typeName(type)}${boundsText({ minimum, maximum })}${notThis(value)}`
  const { length } = value as string
  if (length === 0) return 'must not be empty'
  if (length < minLength) return `must have at least ${minLength} characters`
  if (length > maxLength) return `must have at most ${maxLength} characters; it has ${length}`
  return description === undefined ? `must match ${pattern}` : `must be: ${description}`
}

/**
 * Returns whether a simple value of the right type is within the bounds of its schema. Avoids the library where it can:
 * it interprets the schema again for each value, which takes a second for a large body.
 */
function isPlainlyValid(schema: Schema, value: unknown): boolean {
  const { minLength = 0, maxLength = Infinity, pattern, minimum = -Infinity, maximum = Infinity } = schema
  if (schema.enum === undefined && !('const' in schema) && pattern === undefined) {
    if (typeof value === 'number') return value >= minimum && value <= maximum
    // a character has one or two units
    if (typeof value === 'string' && value.length <= maxLength && value.length >= minLength * 2) return true
    if (typeof value === 'boolean' || value === null) return true
  }
  return Check(schema as never, value)
}

function boundsText({ minimum, maximum }: { minimum?: number | undefined; maximum?: number | undefined }): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`
  if (minimum !== undefined) return ` from ${minimum} on`
  return maximum === undefined ? '' : ` of at most ${maximum}`
}

/** Returns the values that a schema enumerates, if it does nothing else. */
function choicesOf(schema: Schema, resolve: (schema: Schema) => Schema): readonly unknown[] | undefined {
  if (schema.enum) return schema.enum
  if ('const' in schema) return [schema.const]
  const variants = schema.anyOf?.map(resolve)
  return variants?.every((variant) => 'const' in variant) ? variants.map((variant) => variant.const) : undefined
}

/** Finds the field whose constant distinguishes the variants of a union. */
function kindField(variants: readonly Schema[]): string | undefined {
  const first = Object.entries(variants[0]?.properties ?? {})
  return first.find(([name]) =>
    variants.every(({ properties }) => properties?.[name] !== undefined && 'const' in properties[name]),
  )?.[0]
}

function hasType(type: NonNullable<Schema['type']>, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'number') return Number.isFinite(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'null') return value === null
  if (type === 'object') return isObject(value)
  return typeof value === type
}

function typeName(type: Schema['type']): string {
  if (type === undefined || type === 'null') return String(type)
  return /^[aio]/.test(type) ? `an ${type}` : `a ${type}`
}

function oneOf(values: readonly unknown[]): string {
  return values.length === 1 ? JSON.stringify(values[0]) : `one of ${values.map(String).join(', ')}`
}

function notThis(value: unknown): string {
  const text =
    typeof value === 'object' && value !== null
      ? Array.isArray(value)
        ? 'an array'
        : 'an object'
      : JSON.stringify(value)
  return `, not ${text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}…` : text}`
}

function joinWithOr(names: readonly string[]): string {
  const distinct = [...new Set(names)]
  return distinct.length === 1 ? distinct[0]! : `${distinct.slice(0, -1).join(', ')} or ${distinct.at(-1)}`
}

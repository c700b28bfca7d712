import { App, decodeEnvelope, Element, Funnel, HopperError, isTimeZone, keyPrefixes, Organization, type Envelope } from '@hopper/contracts'
import { Type, type TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { idOf } from '../export/dump.ts'
import { DUMP_VERSION, dumpedKinds, type DumpedKind, type DumpedRecord, type DumpEnd, type DumpHead, type DumpLine } from '../export/dump-lines.ts'

const text = Type.String({ minLength: 1, maxLength: 2_048 })
const powers = Type.Union(Object.keys(keyPrefixes).map((power) => Type.Literal(power)))
const roles = Type.Union(['owner', 'admin', 'viewer'].map((role) => Type.Literal(role)))
const schemas = {
  organizations: Organization, apps: App, funnels: Funnel, elements: Element,
  keys: Type.Object({ hash: Type.String({ pattern: '^[0-9a-f]{64}$' }), power: powers, organization: text, app: Type.Optional(text) }),
  members: Type.Object({ id: text, organization: text, name: text, role: roles, password: Type.Optional(text) }),
} as const satisfies Record<DumpedKind, TSchema>
const records = new Map<string, Validator>(dumpedKinds.map((kind) => [kind, Compile(schemas[kind])]))
const place = Compile(Type.Object({ kind: text, owner: Type.String({ maxLength: 64 }), id: text }))

/** A line of a dump, its envelope checked. @throws HopperError HOP_CONFIG for whatever is none */
export function parseLine(line: string, number: number): Exclude<DumpLine, { envelope: object }> | { readonly envelope: Envelope } {
  const value = objectOf(line, number)
  if ('envelope' in value) return { envelope: envelopeOf(value.envelope, number) }
  if ('kind' in value) return recordOf(value, number)
  if (value.hopper === 'dump' || value.end === true) return value as unknown as DumpHead | DumpEnd
  throw invalid(number)
}

/** The first line. @throws HopperError HOP_CONFIG for a file that is no dump, or one of another version */
export function checkHead(line: DumpLine | { readonly envelope: Envelope } | undefined): void {
  if (!line || !('hopper' in line)) throw new HopperError('HOP_CONFIG', 'This is no dump of Hopper; "hopper export --all" makes one.')
  if (line.version !== DUMP_VERSION) {
    throw new HopperError('HOP_CONFIG', `This dump is of version ${line.version}; this Hopper reads version ${DUMP_VERSION}.`)
  }
}

function objectOf(line: string, number: number): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw invalid(number, cause)
  }
  throw invalid(number)
}

function recordOf(value: Readonly<Record<string, unknown>>, number: number): DumpedRecord {
  const line = value as unknown as DumpedRecord
  if (!place.Check(value) || !records.get(line.kind)?.Check(line.record) || !isInPlace(line)) throw invalid(number)
  return line
}

/** Whether a record says of itself where it stands, and has a time zone that dates can be told in. */
function isInPlace({ kind, owner, id, record }: DumpedRecord): boolean {
  const { organization = kind === 'organizations' ? '' : owner, timezone = 'UTC' } = record as { organization?: string; timezone?: string }
  return idOf(kind, record) === id && organization === owner && isTimeZone(timezone)
}

/** What the events of an envelope must be is judged where they are counted: a flawed one goes to the dead letters, as it did before. */
function envelopeOf(value: unknown, number: number): Envelope {
  try {
    decodeEnvelope(Buffer.from(JSON.stringify(value)))
    return value as Envelope
  } catch (cause) {
    throw invalid(number, cause)
  }
}

function invalid(number: number, cause?: unknown): HopperError {
  return new HopperError('HOP_CONFIG', `Line ${number} is not of a dump of Hopper.`, cause === undefined ? {} : { cause })
}

import {
  Alert,
  Annotation,
  App,
  ComputedProperty,
  Element,
  Funnel,
  HopperError,
  isTimeZone,
  keyPrefixes,
  Organization,
  SharedLink,
} from '@hopper/contracts'
import { Type, type TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { idOf } from '../export/dump.ts'
import {
  DUMP_VERSION,
  dumpedKinds,
  OLDEST_DUMP_VERSION,
  type DumpedKind,
  type DumpedRecord,
  type DumpEnd,
  type DumpHead,
} from '../export/dump-lines.ts'
import { messageBytes } from '../export/dump-message.ts'

const text = Type.String({ minLength: 1, maxLength: 2_048 })
const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })
const natural = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const powers = Type.Union(Object.keys(keyPrefixes).map((power) => Type.Literal(power)))
const roles = Type.Union(['owner', 'admin', 'viewer'].map((role) => Type.Literal(role)))
const schemas = {
  organizations: Organization,
  apps: App,
  funnels: Funnel,
  elements: Element,
  properties: ComputedProperty,
  alerts: Alert,
  sharedLinks: SharedLink,
  annotations: Annotation,
  funnelMarks: Type.Object({
    id: text,
    highest: Type.Integer({ minimum: -1, maximum: Number.MAX_SAFE_INTEGER }),
    created_at: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  }),
  backfills: Type.Object({
    funnel: text,
    lane: natural,
    lanes: natural,
    groups: Type.Array(
      Type.Object({
        stages: Type.Array(natural),
        until: natural,
        known: Type.Optional(Type.Array(Type.Object({ first: natural, next: natural }))),
      }),
    ),
    definition: Type.Optional(Type.String()),
    counted: natural,
    done: natural,
    dates: natural,
  }),
  keys: Type.Object({
    hash: sha256,
    power: powers,
    organization: text,
    app: Type.Optional(text),
    text: Type.Optional(text),
  }),
  members: Type.Object({
    id: text,
    organization: text,
    name: text,
    role: roles,
    password: Type.Optional(text),
    email: Type.Optional(text),
  }),
  secondFactors: Type.Object({
    member: text,
    id: text,
    confirmed_at: Type.Optional(natural),
    used_step: Type.Optional(natural),
  }),
  recoveryCodes: Type.Object({ member: text, hash: sha256 }),
  providerLinks: Type.Object({
    member: text,
    organization: text,
    issuer: text,
    subject: text,
    email: text,
    linked_at: natural,
  }),
} as const satisfies Record<DumpedKind, TSchema>
const records = new Map<string, Validator>(dumpedKinds.map((kind) => [kind, Compile(schemas[kind])]))
const head = Compile(Type.Object({ id: text, lanes: Type.Integer({ minimum: 1, maximum: 1_024 }) }))
const message = Compile(Type.Object({ lane: natural, position: natural }))
const place = Compile(Type.Object({ kind: text, owner: Type.String({ maxLength: 64 }), id: text }))

/** A message of a dump with its bytes decoded. */
export interface ParsedMessage {
  readonly lane: number
  readonly position: number
  readonly value: Buffer
}

/**
 * Parses a line of a dump.
 * @throws HopperError HOP_CONFIG for an invalid line
 */
export function parseLine(line: string, number: number): DumpHead | DumpedRecord | ParsedMessage | DumpEnd {
  const value = objectOf(line, number)
  if ('kind' in value) return recordOf(value, number)
  if ('position' in value) return messageOf(value, number)
  if (value.hopper === 'dump' || value.end === true) return value as unknown as DumpHead | DumpEnd
  throw invalid(number)
}

/**
 * Checks the first line.
 * @throws HopperError HOP_CONFIG for a file that is not a dump, or one of another version
 */
export function checkHead(line: ReturnType<typeof parseLine> | undefined): DumpHead {
  if (!line || !('hopper' in line))
    throw new HopperError('HOP_CONFIG', 'This is not a dump of Hopper; "hopper export --all" makes one.')
  if (!(line.version >= OLDEST_DUMP_VERSION && line.version <= DUMP_VERSION)) {
    const old =
      line.version < OLDEST_DUMP_VERSION ? ' Export again: earlier versions left out what browsers had sent.' : ''
    throw new HopperError(
      'HOP_CONFIG',
      `This dump is of version ${line.version}; this Hopper reads version ${DUMP_VERSION}.${old}`,
    )
  }
  if (!head.Check(line)) throw invalid(1)
  return line
}

function objectOf(line: string, number: number): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch (cause) {
    if (number === 1) throw invalid(number)
    throw new HopperError(
      'HOP_CONFIG',
      `Line ${number} is not JSON: the dump was cut off there, or changed. Export again.`,
      { cause },
    )
  }
  throw invalid(number)
}

function recordOf(value: Readonly<Record<string, unknown>>, number: number): DumpedRecord {
  const line = value as unknown as DumpedRecord
  const schema = place.Check(value) ? records.get(line.kind) : undefined
  if (!schema) throw invalid(number)
  if (!schema.Check(line.record)) throw unfit(line, number, schema.Errors(line.record)[0])
  if (!isInPlace(line)) throw invalid(number)
  return line
}

/** Checks that a record is stored under its own owner and id, and that its time zone is supported. */
function isInPlace({ kind, owner, id, record }: DumpedRecord): boolean {
  const {
    organization = kind === 'organizations' ? '' : owner,
    timezone = 'UTC',
    app = owner,
  } = record as {
    organization?: string
    timezone?: string
    app?: string
  }
  if (['alerts', 'sharedLinks', 'annotations'].includes(kind) && app !== owner) return false
  return idOf(kind, record) === id && organization === owner && isTimeZone(timezone)
}

/**
 * Returns the bytes without decoding them. Messages that cannot be decoded or counted become dead letters when they are
 * counted, as they did in the dumped installation.
 */
function messageOf(value: Readonly<Record<string, unknown>>, number: number): ParsedMessage {
  const bytes = messageBytes(value)
  if (!bytes || !message.Check(value)) throw invalid(number)
  return { lane: value.lane, position: value.position, value: bytes }
}

function unfit(
  { kind, id }: DumpedRecord,
  number: number,
  error: { instancePath: string; message: string } | undefined,
): HopperError {
  const why = error ? `: ${error.instancePath || 'it'} ${error.message}` : ''
  return new HopperError(
    'HOP_CONFIG',
    `Line ${number}: the record ${JSON.stringify(id)} of ${kind} is not valid here${why}.`,
  )
}

function invalid(number: number): HopperError {
  return new HopperError('HOP_CONFIG', `Line ${number} does not belong to a dump of Hopper.`)
}

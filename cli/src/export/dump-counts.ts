import { tryDecodeEnvelope, type Envelope } from '@hopper/contracts'
import type { LaneMessage } from '@hopper/storage'
import type { DumpCounts, DumpedKind } from './dump-lines.ts'

/** Maximum number of apps counted by name; further ones in foreign messages are counted together. */
const APPS_MAX = 10_000
/** Maximum number of event kinds counted by name in an app. There are six; the rest comes from foreign messages. */
const KINDS_MAX = 100
const OTHER = 'other'

interface AppTally {
  messages: number
  readonly events: Map<string, number>
  readonly bots: Map<string, number>
  readonly rejected: Map<string, number>
}

/** Counts what is written into a dump, or read out of one. */
export class DumpTally {
  readonly #records = new Map<string, number>()
  readonly #lanes: number[]
  readonly #apps = new Map<string, AppTally>()
  #undecodable = 0

  constructor(lanes: number) {
    this.#lanes = new Array<number>(lanes).fill(0)
  }

  get lanes(): number {
    return this.#lanes.length
  }

  addRecord(kind: DumpedKind): void {
    increment(this.#records, kind, 1)
  }

  /** Counts a message; returns its envelope, or undefined when it cannot be decoded. */
  addMessage({ lane, value }: LaneMessage): Envelope | undefined {
    this.#lanes[lane] = (this.#lanes[lane] ?? 0) + 1
    const envelope = tryDecodeEnvelope(value)
    if (!envelope) {
      this.#undecodable++
      return undefined
    }
    const app = this.#app(envelope.app)
    app.messages++
    for (const event of envelope.events) increment(app.events, String((event as { type?: unknown } | null)?.type), 1)
    if (envelope.context.bot !== undefined) increment(app.bots, String(envelope.context.bot), envelope.events.length)
    for (const refused of Array.isArray(envelope.rejected) ? envelope.rejected : [])
      increment(app.rejected, String((refused as { reason?: unknown } | null)?.reason), 1)
    return envelope
  }

  get counts(): DumpCounts {
    const apps = [...this.#apps]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([id, { messages, events, bots, rejected }]) =>
          [id, { messages, events: sorted(events), bots: sorted(bots), rejected: sorted(rejected) }] as const,
      )
    return {
      records: sorted(this.#records),
      messages: this.#lanes.reduce((sum, n) => sum + n, 0),
      lanes: this.#lanes,
      undecodable: this.#undecodable,
      apps: Object.fromEntries(apps),
    }
  }

  #app(id: string): AppTally {
    const name = this.#apps.has(id) || this.#apps.size < APPS_MAX ? id : OTHER
    let entry = this.#apps.get(name)
    if (!entry) this.#apps.set(name, (entry = { messages: 0, events: new Map(), bots: new Map(), rejected: new Map() }))
    return entry
  }
}

/** Formats the counts as one line for a person. */
export function describeCounts({ records, messages, undecodable, apps }: DumpCounts): string {
  const sum = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((total, n) => total + n, 0)
  const all = Object.values(apps)
  const [events, rejected] = [
    all.reduce((total, app) => total + sum(app.events), 0),
    all.reduce((total, app) => total + sum(app.rejected), 0),
  ]
  const kept = undecodable > 0 ? `, ${undecodable} messages that cannot be decoded, kept as bytes` : ''
  const counted = `${events} events and ${rejected} rejected ones of ${all.length} apps`
  return `${sum(records)} records and ${messages} messages with ${counted}${kept}`
}

/** Returns the differences between a recount and a manifest, as sentences for a person. */
export function differencesOf(found: object, manifest: object, path = ''): string[] {
  const [is, says] = [found, manifest] as Readonly<Record<string, unknown>>[]
  return [...new Set([...Object.keys(is!), ...Object.keys(says!)])].flatMap((name) => {
    const [a, b] = [valueAt(is!, name), valueAt(says!, name)]
    const place = path === '' ? name : `${path}.${name}`
    if (isObjectOrList(a) || isObjectOrList(b))
      return differencesOf(isObjectOrList(a) ? a : {}, isObjectOrList(b) ? b : {}, place)
    return a === b
      ? []
      : [`${place}: the manifest says ${JSON.stringify(b) ?? 'nothing'}, found ${JSON.stringify(a) ?? 'nothing'}`]
  })
}

function valueAt(fields: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

function isObjectOrList(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function increment(counts: Map<string, number>, name: string, by: number): void {
  const key = counts.has(name) || counts.size < KINDS_MAX ? name : OTHER
  counts.set(key, (counts.get(key) ?? 0) + by)
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

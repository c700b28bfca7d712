import { hash } from 'node:crypto'

/** The subject to forget: a user with all of its events on any device, or a device with all its events. */
export type ForgottenKind = 'user' | 'device'

/** A request to forget a person. Each lane does its part, see `ForgetPart`. */
export interface Forget {
  readonly id: string
  readonly app: string
  readonly kind: ForgottenKind
  /** the id of the user or device; gone as soon as every lane has removed it from its tables */
  readonly person?: string
  /** `personDigest` of it */
  readonly digest: string
  /** ms since the epoch */
  readonly requested_at: number
  /** end of each lane of the log at the request: everything before it is included */
  readonly ends: readonly number[]
  /** why the request cannot be finished although every lane has done its part */
  readonly problem?: string
  /** set when every lane has done its part and no file contains anything of the person */
  readonly finished_at?: number
  /** files that were not touched although they may contain events of the person */
  readonly kept_files?: readonly string[]
  /**
   * the instant (ms) by which the log has deleted the person's messages; null when it never does. Missing when they are
   * rewritten
   */
  readonly log_kept_until?: number | null
}

/** A range of places of a lane: from `from` up to, but not including, `to`. */
export type PlaceRange = readonly [from: number, to: number]

/** A device of which a lane forgets events. */
export interface ForgottenDevice {
  /** `deviceDigest` of it */
  readonly device: string
  /** true if all its events before the mark are forgotten */
  readonly whole: boolean
  /** places of its forgotten events, ascending */
  readonly ranges: readonly PlaceRange[]
}

/**
 * Steps of a lane, in this order; each names what is done.
 * - `waiting`: nothing; the events before the request are not all counted yet, or `problem` says what is in the way
 * - `planned`: the mark and the places are decided: from here on nothing that reads the log uses these events
 * - `cut`: the tables no longer know whose the devices were
 * - `sets`: ids are replaced by their hashes, sessions are recounted
 * - `archived`: the archive no longer has the events
 * - `counted`: the tables of every date equal their recount
 * - `done`: the log no longer has the events, or every reader filters it
 */
export const forgetSteps = ['waiting', 'planned', 'cut', 'sets', 'archived', 'counted', 'done'] as const
export type ForgetStep = (typeof forgetSteps)[number]

/** Changes of the tables of a lane: the sum for each counter, or the number of visitor rows. */
export type TableChanges = Readonly<Record<string, Readonly<Record<string, number>>>>

/** Counts of the data that a lane has removed. */
export interface ForgetTally {
  /** archived events by type, including those of bots */
  readonly events: Readonly<Record<string, number>>
  /** events among these that bots had sent, which no table counts */
  readonly bots: number
  readonly sessions: number
  readonly dead_letters: number
  readonly tables: TableChanges
  /** messages of the log that had an event of the person, or were refused for it */
  readonly messages: number
  /** events that repeated an id, and rejected ones, which only the log had */
  readonly repeated: number
  readonly refused: number
}

/** The part of a lane in forgetting a person. The lane's owner stores it in the registry after each step. */
export interface ForgetPart {
  readonly forget: string
  readonly lane: number
  readonly step: ForgetStep
  readonly requested_at: number
  /** why the lane cannot begin or continue now */
  readonly problem?: string
  /** position of the lane up to which events are forgotten */
  readonly mark?: number
  readonly devices: readonly ForgottenDevice[]
  /** other places of the log at which an event repeats the id of a forgotten one: they are forgotten too */
  readonly repeated?: readonly ForgottenDevice[]
  /** forgotten events that the tables had counted, by date of the app */
  readonly dates?: Readonly<Record<string, number>>
  /** forgotten events of the archive, by the UTC date of their receipt; 0 for those that only the log had */
  readonly received?: Readonly<Record<string, number>>
  /** the date whose tables were corrected last; dates are corrected in ascending order */
  readonly last?: string
  /** the date whose correction is in the tally and may be in the tables */
  readonly correcting?: string
  /** true once the tally includes the person's data in the log */
  readonly log_counted?: boolean
  /** false when the log has lost messages: duplicates and refused events are then not recounted */
  readonly whole_log?: boolean
  readonly tally: ForgetTally
}

export const emptyTally: ForgetTally = {
  events: {},
  bots: 0,
  sessions: 0,
  dead_letters: 0,
  tables: {},
  messages: 0,
  repeated: 0,
  refused: 0,
}

/** Returns the registry id of the part of a lane. */
export function forgetPartId({ forget, lane }: Pick<ForgetPart, 'forget' | 'lane'>): string {
  return `${forget} ${lane}`
}

/** Returns the SHA-256 of a person of an app in hex. */
export function personDigest(app: string, kind: ForgottenKind, id: string): string {
  return hash('sha256', JSON.stringify([app, kind, id]), 'hex')
}

/** The state of a request and, when it is done, the certificate. */
export interface ForgetReport {
  readonly id: string
  readonly kind: ForgottenKind
  /** SHA-256 of the person, see `personDigest`: its id is kept nowhere */
  readonly person_sha256: string
  readonly requested_at: number
  readonly state: 'waiting' | 'running' | 'done'
  /** share of the lanes that are done, from 0 to 1 */
  readonly share: number
  readonly finished_at?: number
  readonly problem?: string
  /** files of the data directory that were left alone although they may contain events of the person */
  readonly kept_files: readonly string[]
  /** of a log that cannot change messages: when its retention has deleted the person's (ms); null: never */
  readonly log_kept_until?: number | null
  /** sums over the lanes */
  readonly removed: ForgetTally & { readonly devices: number }
  /** lanes that had something of the person, or are not done */
  readonly lanes: readonly (ForgetTally & {
    readonly lane: number
    readonly step: ForgetStep
    readonly problem?: string
    /** position of the lane up to which events are forgotten */
    readonly mark?: number
    readonly devices: number
    /** false: the log has lost messages, so duplicates and refused events were not recounted */
    readonly whole_log: boolean
  })[]
}

/** Describes a request with the parts of its lanes. */
export function forgetReport(forget: Forget, all: readonly ForgetPart[]): ForgetReport {
  const lanes = forget.ends.length
  const parts = all.filter((part) => part.forget === forget.id).sort((a, b) => a.lane - b.lane)
  const done = parts.filter(({ step }) => step === 'done').length
  const isBegun = parts.some(({ step }) => step !== 'waiting')
  return {
    id: forget.id,
    kind: forget.kind,
    person_sha256: forget.digest,
    requested_at: forget.requested_at,
    state: forget.finished_at !== undefined ? 'done' : isBegun ? 'running' : 'waiting',
    share: forget.finished_at !== undefined ? 1 : done / Math.max(1, lanes),
    ...(forget.finished_at === undefined ? {} : { finished_at: forget.finished_at }),
    ...(forget.problem === undefined ? {} : { problem: forget.problem }),
    kept_files: forget.kept_files ?? [],
    ...(forget.log_kept_until === undefined ? {} : { log_kept_until: forget.log_kept_until }),
    removed: {
      ...parts.map(({ tally }) => tally).reduce(addTallies, emptyTally),
      devices: parts.reduce((sum, { devices }) => sum + devices.length, 0),
    },
    lanes: parts
      .filter(({ step, devices }) => step !== 'done' || devices.length > 0)
      .map(({ lane, step, problem, mark, devices, whole_log = true, tally }) => ({
        lane,
        step,
        ...(problem === undefined ? {} : { problem }),
        ...(mark === undefined ? {} : { mark }),
        ...tally,
        devices: devices.length,
        whole_log,
      })),
  }
}

function addTallies(a: ForgetTally, b: ForgetTally): ForgetTally {
  return {
    events: addCounts(a.events, b.events),
    bots: a.bots + b.bots,
    sessions: a.sessions + b.sessions,
    dead_letters: a.dead_letters + b.dead_letters,
    tables: addChanges(a.tables, b.tables),
    messages: a.messages + b.messages,
    repeated: a.repeated + b.repeated,
    refused: a.refused + b.refused,
  }
}

/** Adds up by how much tables have changed. */
export function addChanges(a: TableChanges, b: TableChanges): TableChanges {
  const tables = new Set([...Object.keys(a), ...Object.keys(b)])
  return Object.fromEntries([...tables].map((table) => [table, addCounts(a[table] ?? {}, b[table] ?? {})]))
}

function addCounts(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const sum: Record<string, number> = { ...a }
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count
  return sum
}

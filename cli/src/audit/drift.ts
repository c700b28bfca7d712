import type { Visitor } from '@hopper/contracts'
import { counterTables, visitorTables, type CounterPartition, type Key, type VisitorPartition } from '@hopper/storage'

interface LaneRow {
  readonly lane: number
  readonly key: Key
}

/** A counter row that differs from the recount. A missing row counts as zeros. */
export interface CounterDrift extends CounterPartition, LaneRow {
  readonly kind: 'counter'
  /** the watermark of the partition */
  readonly applied: number
  readonly found: readonly number[]
  readonly expected: readonly number[]
}

/** A visitor row that is missing, or that no event accounts for. */
export interface VisitorDrift extends VisitorPartition, LaneRow {
  readonly kind: 'missing' | 'surplus'
  readonly visitor: Visitor
}

/** One row in which the tables and the recount differ. */
export type Drift = CounterDrift | VisitorDrift

/** Partitions that were compared, and where they differ. */
export interface Compared {
  /** those that have rows, or should have some */
  readonly partitions: number
  readonly differing: number
  /** lanes of an app that were left out */
  readonly skipped?: number
  readonly drift: readonly Drift[]
}

/** Sums up a comparison. `filled` are the partitions that have rows. */
export function comparedOf(filled: Iterable<CounterPartition | VisitorPartition>, drift: readonly Drift[]): Compared {
  const differing = new Set(drift.map(nameOf))
  return { partitions: new Set([...differing, ...[...filled].map(nameOf)]).size, differing: differing.size, drift }
}

function nameOf({ table, app, date }: CounterPartition | VisitorPartition): string {
  return `${table} ${app} ${date}`
}

/** Formats drift as one line for a person. Keys are printed as JSON, so that event text cannot control a terminal. */
export function describeDrift(drift: Drift): string {
  const columns = Object.keys((drift.kind === 'counter' ? counterTables[drift.table] : visitorTables[drift.table]).key)
  const key = columns.map((name, index) => `${name}=${JSON.stringify(drift.key[index])}`).join(' ')
  const text = drift.kind === 'counter' ? counterText(drift) : visitorText(drift)
  return `${drift.table} ${drift.app} ${drift.date} lane ${drift.lane} ${key}: ${text}`
}

function counterText({ table, found, expected }: CounterDrift): string {
  const columns: readonly string[] = counterTables[table].counters
  return columns
    .flatMap((name, index) =>
      found[index] === expected[index] ? [] : [`${name} is ${found[index]}, recounted ${expected[index]}`],
    )
    .join(', ')
}

function visitorText({ kind, visitor: { user, device } }: VisitorDrift): string {
  const who =
    user === ''
      ? `device ${JSON.stringify(device)}`
      : `user ${JSON.stringify(user)} on device ${JSON.stringify(device)}`
  return kind === 'missing' ? `${who} is missing` : `${who} has no event`
}

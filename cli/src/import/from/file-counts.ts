import type { RejectReason } from '@hopper/contracts'
import type { TakenOffline } from '@hopper/ingest'
import type { Row } from './row.ts'

const NAMED_MAX = 10

/** Row that was rejected. */
export interface RejectedRow {
  readonly number: number
  readonly reason: RejectReason
  readonly message: string
}

/** Counts of the rows of a file; the first rejected ones are kept by name. */
export class FileCounts {
  rows = 0
  /** values that were repaired or left out */
  changed = 0
  /** messages for the log */
  messages = 0
  /** messages that an earlier run had appended */
  skipped = 0
  readonly rejectedBy = new Map<RejectReason, number>()
  readonly firstRejected: RejectedRow[] = []

  add(rows: readonly Row[], { envelopes, rejected, changed }: TakenOffline): void {
    this.rows += rows.length
    this.messages += envelopes.length
    this.changed += changed
    for (const { index, reason, message } of rejected) {
      this.rejectedBy.set(reason, (this.rejectedBy.get(reason) ?? 0) + 1)
      const { number, flaw } = rows[index]!
      const why = flaw === undefined ? message : `It ${flaw}.`
      if (this.firstRejected.length < NAMED_MAX) this.firstRejected.push({ number, reason, message: why })
    }
  }

  get rejected(): number {
    return [...this.rejectedBy.values()].reduce((sum, count) => sum + count, 0)
  }

  get accepted(): number {
    return this.rows - this.rejected
  }
}

/** Describes the outcome of an import in some lines. */
export function describeFile(counts: FileCounts, seconds: number): string {
  const { rows, accepted, rejected, changed, messages, skipped, rejectedBy, firstRejected } = counts
  const rate = count(rows / Math.max(seconds, 0.001))
  const lines = [
    `Imported: ${count(rows)} rows, ${count(accepted)} accepted, ${count(rejected)} rejected, ` +
      `${count(changed)} values changed; ${seconds.toFixed(1)} s, ${rate} events/s.`,
  ]
  if (skipped > 0) lines.push(`${count(skipped)} of ${count(messages)} messages had been imported before.`)
  if (rejected > 0) {
    const reasons = [...rejectedBy].sort(([, a], [, b]) => b - a)
    lines.push(`Rejected: ${reasons.map(([reason, times]) => `${count(times)} ${reason}`).join(', ')}.`)
    for (const { number, reason, message } of firstRejected) lines.push(`  row ${number}: ${reason}: ${message}`)
    if (rejected > firstRejected.length) lines.push(`  and ${count(rejected - firstRejected.length)} more`)
  }
  return lines.join('\n')
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

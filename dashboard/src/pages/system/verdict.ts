import type { AuditRun, Disk, Status } from '@hopper/contracts'
import { formatBytes, formatCount, formatSeconds } from '../../format/numbers.ts'
import { formatSpan } from '../../format/spans.ts'
import { systemWords } from './system-words.ts'

/** A shorter lag is the ordinary time from ingest to the tables. */
const BEHIND_SECONDS = 5
/** With events to count and none counted for longer, counting has stopped. */
const STALLED_SECONDS = 60

/** The state of an installation in one look. Its level is `attention` only where somebody has to act. */
export interface Verdict {
  readonly level: 'healthy' | 'behind' | 'attention'
  /** problems that need attention, the most urgent first */
  readonly problems: readonly string[]
  /** progress of counting, the disk, the last audit */
  readonly facts: readonly string[]
}

export interface Facts {
  readonly status: Status
  /** undefined while it is not known */
  readonly disk: Disk | undefined
  readonly audits: readonly AuditRun[] | undefined
  readonly now: number
  readonly clock: (at: number) => string
}

/** Describes in sentences how an installation is. */
export function verdictOf({ status, disk, audits, now, clock }: Facts): Verdict {
  const { sentence } = systemWords
  const finished = audits?.filter(({ state }) => state === 'finished') ?? []
  const [last] = finished
  const drift = driftOf(finished)
  const { events, seconds, remaining_seconds: remaining } = status.lag
  const isBehind = events > 0 && (seconds ?? 0) > BEHIND_SECONDS
  const problems = [
    ...status.engines
      .filter(({ healthy }) => !healthy)
      .map(({ name, detail }) => sentence.engine(name, detail ?? sentence.noDetail)),
    ...status.lanes
      .filter(({ lost }) => lost !== undefined)
      .map(({ lane, lost }) => sentence.lost(lane, formatCount(lost!.next - lost!.first))),
    ...(isBehind && remaining === null && (seconds ?? 0) > STALLED_SECONDS ? [sentence.stalled] : []),
    ...(disk?.places ?? []).filter(({ is_low }) => is_low).map(lowDiskText),
    ...(drift > 0 ? [sentence.drift(formatCount(drift))] : []),
    ...(status.dead_letters > 0 ? [sentence.letters(status.dead_letters, formatCount(status.dead_letters))] : []),
  ]
  const counted = isBehind
    ? sentence.behind(formatCount(events), formatSeconds(Math.round(seconds ?? 0)))
    : status.complete_to === null
      ? sentence.unknown
      : sentence.complete(clock(status.complete_to))
  return {
    level: problems.length > 0 ? 'attention' : isBehind ? 'behind' : 'healthy',
    problems,
    facts: [counted, ...(disk ? [diskText(disk)] : []), ...(audits ? [auditText(last, now)] : [])],
  }
}

/** Returns the rows that differ by the last audit of everything, or by one of a part since then. */
function driftOf(finished: readonly AuditRun[]): number {
  const whole = finished.findIndex(({ app, from, to }) => [app, from, to].every((limit) => limit === undefined))
  const latest = whole === -1 ? finished : finished.slice(0, whole + 1)
  return latest.map(({ differing, repaired }) => differing - repaired).find((left) => left > 0) ?? 0
}

function lowDiskText({ place, free_bytes: free, full_in_seconds: left }: Disk['places'][number]): string {
  const { sentence } = systemWords
  const room = free === null ? sentence.unknownRoom : formatBytes(free)
  return sentence.disk(place, room, left === null ? undefined : formatSpan(left))
}

/** The used bytes of all places together, and the place that will be full first. */
function diskText({ places }: Disk): string {
  const { sentence } = systemWords
  if (places.length === 0) return sentence.noDisk
  const used = formatBytes(places.reduce((sum, { used_bytes }) => sum + used_bytes, 0))
  const first = places
    .filter(({ free_bytes }) => free_bytes !== null)
    .sort(
      (a, b) => (a.full_in_seconds ?? Infinity) - (b.full_in_seconds ?? Infinity) || a.free_bytes! - b.free_bytes!,
    )[0]
  if (!first) return sentence.usedOnly(used)
  return sentence.used(used, formatBytes(first.free_bytes!), forecastText(first))
}

/** Describes when a place is full. */
export function forecastText({ bytes_per_day: rate, full_in_seconds: left }: Disk['places'][number]): string {
  if (rate === null) return systemWords.sentence.tooShort
  return left === null ? systemWords.sentence.notGrowing : systemWords.sentence.fullIn(formatSpan(left))
}

function auditText(last: AuditRun | undefined, now: number): string {
  const { sentence } = systemWords
  if (!last) return sentence.noAudit
  const ago = formatSpan((now - (last.finished_at ?? last.started_at)) / 1_000)
  return sentence.audit(ago, formatCount(last.differing_partitions), formatCount(last.partitions))
}

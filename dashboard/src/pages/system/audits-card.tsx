import { useEffect, type ReactNode } from 'react'
import type { AuditRun, Audits } from '@hopper/contracts'
import { useSession } from '../../api/session.tsx'
import type { Report } from '../../api/use-report.ts'
import { formatCount, formatDuration } from '../../format/numbers.ts'
import { formatDate, formatInstant } from '../../format/times.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useChange } from '../../parts/use-change.ts'
import { systemWords } from './system-words.ts'

/** While an audit runs its progress is asked for more often. */
const RUNNING_MS = 2_000
const { audits: texts } = systemWords

/** The history of audits, and beginning one. */
export function AuditsCard({ report, timezone }: { report: Report<Audits>; timezone: string }): ReactNode {
  const { client, me } = useSession()
  const { data, reload } = report
  const change = useChange(reload)
  const running = data?.audits.find(({ state }) => state === 'running')
  const isRunning = running !== undefined
  useEffect(() => {
    if (!isRunning) return
    const timer = setInterval(reload, RUNNING_MS)
    return () => clearInterval(timer)
    // `reload` is another function each time
  }, [isRunning])
  const mayRun = me.member.role !== 'viewer' && data?.can_run === true
  return (
    <Card title={texts.title} hint={texts.hint} size="wide">
      {change.error && <Problem error={change.error} />}
      {mayRun && (
        <button
          type="button"
          disabled={change.busy || isRunning}
          onClick={() => void change.run(() => client.send('POST', '/api/v1/audits', {}))}
        >
          {texts.run}
        </button>
      )}
      {data?.can_run === false && <p className="hint">{texts.onlyCli}</p>}
      <div role="status">{running && <Running audit={running} />}</div>
      <ReportView report={report} skeleton={<Skeleton height={120} />}>
        {({ audits }) => (
          <DataTable
            caption={texts.caption}
            columns={columnsOf(timezone)}
            rows={audits}
            rowKey={({ id }) => id}
            first={6}
            empty={texts.empty}
          />
        )}
      </ReportView>
    </Card>
  )
}

function Running({ audit: { lane, lanes } }: { audit: AuditRun }): ReactNode {
  return (
    <p className="audit-progress tnum">
      <progress value={lane} max={Math.max(1, lanes)} aria-label={texts.progress} /> {texts.running(lane, lanes)}
    </p>
  )
}

function columnsOf(timezone: string): Column<AuditRun>[] {
  const { begun, by, scope, took, result } = texts.columns
  return [
    { name: result, value: resultOf },
    { name: begun, value: ({ started_at: at }) => formatInstant(timezone, at) },
    { name: by, value: ({ started_by: name }) => name },
    { name: scope, value: scopeOf },
    {
      name: took,
      value: ({ started_at, finished_at: end }) => formatDuration(end === undefined ? null : end - started_at),
    },
  ]
}

function resultOf({ state, fault, ...audit }: AuditRun): string {
  if (state === 'failed' && fault) return `${texts.states[state]}: ${texts.faults[fault]}`
  if (state === 'interrupted') return `${texts.states[state]}: ${texts.interrupted}`
  if (state !== 'finished') return texts.states[state]
  const { differing, differing_partitions, partitions, repaired, skipped } = audit
  return [
    differing === 0
      ? texts.noDrift(formatCount(partitions))
      : texts.drift(formatCount(differing), formatCount(differing_partitions), formatCount(partitions)),
    ...(repaired > 0 ? [texts.repaired(formatCount(repaired))] : []),
    ...(skipped > 0 ? [texts.skipped(skipped)] : []),
  ].join('; ')
}

function scopeOf({ app, from, to }: AuditRun): string {
  const parts = [app ?? texts.all, from && texts.from(formatDate(from)), to && texts.to(formatDate(to))]
  return parts.filter(Boolean).join(' ')
}

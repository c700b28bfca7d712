import type { ReactNode } from 'react'
import { PROCESS_SEEN_MS, type ProcessProblem, type ProcessReport, type Processes } from '@hopper/contracts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { formatCount } from '../../format/numbers.ts'
import { formatInstant } from '../../format/times.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { systemWords } from './system-words.ts'

const { processes: texts } = systemWords
/** A process that has missed this many reports no longer runs, or cannot reach the database. */
const MISSED_MAX = 3

const looks = { runs: 'settled', ended: 'settled', silent: 'bad' }

type Row = ProcessProblem & { readonly process: string; readonly id: string }

/** The processes of the installation, and their last warnings and errors. Owners and admins see them. */
export function ProcessesCard({ timezone }: { timezone: string }): ReactNode {
  const { me } = useSession()
  const report = useReport<Processes>(me.member.role === 'viewer' ? null : '/api/v1/processes', true)
  if (me.member.role === 'viewer') return null
  const columns: Column<Row>[] = [
    { name: texts.columns.problem, value: ({ message, codes }) => [message, ...codes].join(' · ') },
    { name: texts.columns.process, value: ({ process }) => process },
    { name: texts.columns.level, value: ({ level }) => texts.levels[level] },
    { name: texts.columns.last, value: ({ last_at }) => formatInstant(timezone, last_at) },
    { name: texts.columns.times, value: ({ times }) => formatCount(times), numeric: true },
  ]
  return (
    <Card title={texts.title} hint={texts.hint} size="wide">
      <ReportView report={report} skeleton={<Skeleton height={120} />}>
        {({ processes }) => (
          <>
            <ul className="engines">
              {processes.map((process) => (
                <ProcessItem key={process.id} process={process} timezone={timezone} />
              ))}
            </ul>
            <DataTable
              caption={texts.caption}
              columns={columns}
              rows={problemsOf(processes)}
              rowKey={({ id, level, message, codes }) => JSON.stringify([id, level, message, codes])}
              first={8}
              empty={texts.empty}
            />
          </>
        )}
      </ReportView>
    </Card>
  )
}

function ProcessItem({ process, timezone }: { process: ProcessReport; timezone: string }): ReactNode {
  const { name, version, started_at: started, seen_at: seen, ended_at: ended } = process
  const runs = ended === undefined && Date.now() - seen < MISSED_MAX * PROCESS_SEEN_MS
  const state = runs ? 'runs' : ended === undefined ? 'silent' : 'ended'
  const last = runs
    ? texts.since(formatInstant(timezone, started))
    : texts.until(formatInstant(timezone, ended ?? seen))
  return (
    <li>
      <span className={`badge ${looks[state]}`}>{texts.states[state]}</span> <b>{name}</b>{' '}
      <span className="hint">
        {version}, {last}
      </span>
    </li>
  )
}

/** Returns the problems of all processes, the newest first. */
function problemsOf(processes: readonly ProcessReport[]): Row[] {
  return processes
    .flatMap(({ id, name, problems }) => problems.map((problem): Row => ({ ...problem, process: name, id })))
    .sort((a, b) => b.last_at - a.last_at)
}

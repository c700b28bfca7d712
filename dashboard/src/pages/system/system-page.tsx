import type { ReactNode } from 'react'
import type { Audits, Disk, Status } from '@hopper/contracts'
import { useReport } from '../../api/use-report.ts'
import { formatClock } from '../../format/times.ts'
import { PageFrame } from '../../frame/page-frame.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { AuditsCard } from './audits-card.tsx'
import { CountedCard } from './counted-card.tsx'
import { DiskCard } from './disk-card.tsx'
import { EnginesCard } from './engines-card.tsx'
import { LagCard } from './lag-card.tsx'
import { LettersCard } from './letters-card.tsx'
import { LossCard } from './loss-card.tsx'
import { ProcessesCard } from './processes-card.tsx'
import { RefusalsCard } from './refusals-card.tsx'
import { systemWords } from './system-words.ts'
import { VerdictCard } from './verdict-card.tsx'
import { verdictOf } from './verdict.ts'

/** The state of the installation: one sentence, and what stands behind it. */
export default function SystemPage(): ReactNode {
  const { name, timezone } = useScope().app
  const status = useReport<Status>('/api/v1/status', true)
  const disk = useReport<Disk>('/api/v1/disk', true)
  const audits = useReport<Audits>('/api/v1/audits', true)
  const clock = (at: number): string => formatClock(timezone, at)
  return (
    <PageFrame>
      <div className="page-head">
        <PageTitle app={name}>{systemWords.title}</PageTitle>
      </div>
      <ReportView report={status} skeleton={<Skeleton height={600} />}>
        {(found) => (
          <div className="cards system">
            <VerdictCard
              verdict={verdictOf({
                status: found,
                disk: disk.data,
                audits: audits.data?.audits,
                now: Date.now(),
                clock,
              })}
            />
            <div className="column">
              <LagCard status={found} />
              <CountedCard fates={found.fates} />
            </div>
            <div className="column">
              <DiskCard report={disk} timezone={timezone} />
              <EnginesCard status={found} timezone={timezone} />
            </div>
            <AuditsCard report={audits} timezone={timezone} />
            <RefusalsCard timezone={timezone} />
            <ProcessesCard timezone={timezone} />
            <LettersCard count={found.dead_letters} timezone={timezone} reload={status.reload} />
            <LossCard />
          </div>
        )}
      </ReportView>
    </PageFrame>
  )
}

import type { ReactNode } from 'react'
import { useParams } from '@tanstack/react-router'
import type { ListedFunnel } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { PageFrame } from '../../frame/page-frame.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { FunnelView } from './funnel-view.tsx'
import { UnknownFunnel } from './unknown-funnel.tsx'

/** One funnel: how many reach each stage, and why the others do not. */
export default function FunnelPage(): ReactNode {
  const { app } = useScope()
  const { funnel: id } = useParams({ from: '/a/$app/funnels/$funnel' })
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(app.id, 'funnels'))
  return (
    <PageFrame bar>
      <ReportView report={funnels} skeleton={<Skeleton height={560} />}>
        {({ funnels: all }) => {
          const funnel = all.find((one) => one.id === id)
          if (funnel) return <FunnelView key={funnel.id} funnel={funnel} funnels={all} />
          return <UnknownFunnel id={id} />
        }}
      </ReportView>
    </PageFrame>
  )
}

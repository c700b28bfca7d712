import type { ReactNode } from 'react'
import { useParams } from '@tanstack/react-router'
import type { ListedFunnel } from '@hopper/contracts'
import { appPath } from '../../../api/paths.ts'
import { useReport } from '../../../api/use-report.ts'
import { PageFrame } from '../../../frame/page-frame.tsx'
import { ReportView } from '../../../parts/states/report-view.tsx'
import { Skeleton } from '../../../parts/states/skeleton.tsx'
import { useScope } from '../../../state/scope.tsx'
import { useSearchState } from '../../../state/use-search.ts'
import { copyOf, draftOf, newDraft, withStagesBefore } from './funnel-draft.ts'
import { FunnelEditor } from './funnel-editor.tsx'
import { UnknownFunnel } from '../unknown-funnel.tsx'

/**
 * Edits a funnel, or makes a new one where the address names none, with the pages and clicks that the address names: in
 * a funnel they come before the stage that it names. A new one can begin as a copy.
 */
export default function EditorPage(): ReactNode {
  const { app } = useScope()
  const { funnel: id } = useParams({ strict: false })
  const { search } = useSearchState()
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(app.id, 'funnels'))
  return (
    <PageFrame>
      <ReportView report={funnels} skeleton={<Skeleton height={560} />}>
        {({ funnels: all }) => {
          const taken = all.map((one) => one.id)
          if (id === undefined) {
            const copied = all.find((one) => one.id === search.funnel)
            return <FunnelEditor draft={copied ? copyOf(copied) : newDraft(search.with ?? [], all)} taken={taken} />
          }
          const funnel = all.find((one) => one.id === id)
          if (!funnel) return <UnknownFunnel id={id} />
          const stage = search.stage ?? funnel.stages.length + 1
          const draft = withStagesBefore(draftOf(funnel), stage, search.with ?? [], all)
          return <FunnelEditor key={funnel.id} funnel={funnel} draft={draft} taken={taken} />
        }}
      </ReportView>
    </PageFrame>
  )
}

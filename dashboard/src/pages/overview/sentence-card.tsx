import { useMemo, type ReactNode } from 'react'
import type { ListedFunnel } from '@hopper/contracts'
import { useFunnel } from '../../api/use-funnel.ts'
import { AppLink } from '../../parts/app-link.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { useFunnelPeriods } from './funnel-periods.ts'
import { overviewSentence } from './sentence.ts'

const BY = 'device'

/** The most important facts in one sentence, to be read in five seconds; each part links to its details. */
export function SentenceCard({ funnel }: { funnel: ListedFunnel }): ReactNode {
  const { app, unit, live } = useScope()
  const { question, before } = useFunnelPeriods(funnel.id)
  const report = useFunnel(
    app.id,
    useMemo(() => ({ ...question, breakdown: BY }), [question]),
    live,
  )
  const compared = useFunnel(app.id, before, false).data
  return (
    <section className="sentence wide" aria-label={words.overview.short}>
      <ReportView report={report} skeleton={<Skeleton height={56} />}>
        {(answer) => (
          <p>
            {overviewSentence({
              funnel: funnel.name,
              unit,
              answer,
              by: BY,
              ...(compared ? { before: compared } : {}),
            }).map(({ text, search }, index) =>
              search ? (
                <AppLink key={index} app={app.id} to={`funnels/${encodeURIComponent(funnel.id)}`} search={search}>
                  <bdi>{text}</bdi>
                </AppLink>
              ) : (
                <span key={index}>{text}</span>
              ),
            )}
          </p>
        )}
      </ReportView>
    </section>
  )
}

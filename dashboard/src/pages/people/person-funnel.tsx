import { useMemo, type ReactNode } from 'react'
import type { DropCause, FunnelAnswer, FunnelQuery, ListedFunnel } from '@hopper/contracts'
import { useFunnel } from '../../api/use-funnel.ts'
import { AppLink } from '../../parts/app-link.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { causes } from '../../state/search.ts'
import { words } from '../../words.ts'

/** Shows how far the person came in a funnel in the range, and why no further. */
export function PersonFunnel({ id, funnel }: { id: string; funnel: ListedFunnel }): ReactNode {
  const { app, range, live } = useScope()
  const body = useMemo(
    (): FunnelQuery => ({
      from: range.from,
      to: range.to,
      funnel: funnel.id,
      filters: [{ type: 'eq', key: 'person', value: id }],
    }),
    [range, funnel.id, id],
  )
  const report = useFunnel(app.id, body, live)
  return (
    <li>
      <AppLink app={app.id} to={`funnels/${encodeURIComponent(funnel.id)}`}>
        <bdi>{funnel.name}</bdi>
      </AppLink>
      <ReportView report={report} skeleton={<Skeleton height={20} />}>
        {(answer) => <p>{placeText(answer)}</p>}
      </ReportView>
    </li>
  )
}

/** Describes in words how far one person came: the last stage, and the cause at the next one. */
export function placeText({ steps }: Pick<FunnelAnswer, 'steps'>): string {
  const reached = steps.filter(({ count }) => count > 0).length
  if (reached === 0) return words.people.notStarted
  const last = steps[reached - 1]!
  if (reached === steps.length) return words.people.finished(last.name)
  const next = steps[reached]!
  const cause: DropCause | undefined = causes.find((one) => next.causes[one] > 0)
  return words.people.stopped(last.name, reached, steps.length, cause ? words.causes[cause] : '')
}

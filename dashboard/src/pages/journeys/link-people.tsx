import type { ReactNode } from 'react'
import { useLongReport } from '../../api/use-funnel.ts'
import { PeopleList } from '../../parts/people/people-list.tsx'
import { peopleWords } from '../../parts/people/people-words.ts'
import { QueryProgress } from '../../parts/query-progress.tsx'
import { ReportView } from '../../parts/report-view.tsx'
import { Skeleton } from '../../parts/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import type { JourneyLink } from './journey-graph.ts'
import type { PageGroup } from './journey-places.ts'
import { journeysPath, type Journeys } from './journey-question.ts'

/** At most this many are listed; a longer list is a question for the API. */
const PEOPLE_SHOWN = 1_000

/** The people who went the way of a link: exactly as many as it says. */
export function LinkPeople({ link, groups }: { link: JourneyLink; groups: readonly PageGroup[] }): ReactNode {
  const scope = useScope()
  const { search } = useSearchState()
  const people = { from: link.from.id, to: link.to.id, limit: PEOPLE_SHOWN }
  const path = journeysPath(scope, search, groups, people)
  const report = useLongReport<Journeys>(path, scope.live)
  return (
    <>
      <QueryProgress report={report} />
      <ReportView report={report} skeleton={<Skeleton height={240} />}>
        {({ people: ids = [] }) => (
          <>
            {ids.length < link.users && <p className="hint">{peopleWords.first(ids.length)}</p>}
            <PeopleList listId={path} rows={ids.map((id) => ({ id }))} />
          </>
        )}
      </ReportView>
    </>
  )
}

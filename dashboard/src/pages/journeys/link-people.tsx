import { useState, type ReactNode } from 'react'
import { ChevronDown, ChevronRight } from 'lucide-react'
import { useLongReport } from '../../api/use-funnel.ts'
import { formatCount } from '../../format/numbers.ts'
import { personOf, shownId } from '../../format/persons.ts'
import { Icon } from '../../parts/icon.tsx'
import { MiddleCut } from '../../parts/middle-cut.tsx'
import { QueryProgress } from '../../parts/query-progress.tsx'
import { ReportView } from '../../parts/report-view.tsx'
import { Skeleton } from '../../parts/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import { PersonTimeline } from '../funnels/panel/person-timeline.tsx'
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
  const report = useLongReport<Journeys>(journeysPath(scope, search, groups, people), scope.live)
  const [opened, setOpened] = useState<string>()
  return (
    <>
      <QueryProgress report={report} />
      <ReportView report={report} skeleton={<Skeleton height={240} />}>
        {({ people: ids = [] }) => (
          <>
            {ids.length < link.users && (
              <p className="hint">{words.funnels.panel.truncated(formatCount(ids.length))}</p>
            )}
            <ul className="link-people" tabIndex={0} aria-label={words.units[scope.unit].name}>
              {ids.map((id) => (
                <li key={id}>
                  <button
                    type="button"
                    className="person"
                    aria-expanded={id === opened}
                    onClick={() => setOpened(id === opened ? undefined : id)}
                  >
                    <Icon of={id === opened ? ChevronDown : ChevronRight} />
                    <MiddleCut text={shownId(id)} title={id} />
                  </button>
                  {id === opened && <PersonTimeline id={personOf(id)} />}
                </li>
              ))}
            </ul>
          </>
        )}
      </ReportView>
    </>
  )
}

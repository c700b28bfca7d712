import type { ReactNode } from 'react'
import type { Meta } from '@hopper/contracts'
import { reportPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { eventText, type TimelineEvent } from '../../format/event-text.ts'
import { formatInstant } from '../../format/times.ts'
import { AppLink } from '../app-link.tsx'
import { ReportView } from '../states/report-view.tsx'
import { Skeleton } from '../states/skeleton.tsx'
import { useEventNames } from '../../state/event-names.ts'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'

const SHOWN = 30

interface Person {
  readonly timeline: readonly TimelineEvent[]
  readonly meta: Meta
}

/** Lists the events of one person, the newest first. */
export function PersonTimeline({ id }: { id: string }): ReactNode {
  const { app, range } = useScope()
  const names = useEventNames()
  const report = useReport<Person>(
    reportPath(app.id, `persons/${encodeURIComponent(id)}`, range, { limit: String(SHOWN) }),
  )
  return (
    <ReportView report={report} skeleton={<Skeleton height={120} />}>
      {({ timeline }) => (
        <>
          <AppLink app={app.id} to={`people/${encodeURIComponent(id)}`} className="person-link">
            {words.people.open}
          </AppLink>
          <ol className="timeline" aria-label={words.funnels.panel.showTimeline}>
            {timeline.map((event) => (
              <li key={event.event_id}>
                <time className="hint tnum">{formatInstant(app.timezone, event.timestamp)}</time>
                <bdi>{eventText(event, names)}</bdi>
              </li>
            ))}
          </ol>
        </>
      )}
    </ReportView>
  )
}

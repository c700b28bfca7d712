import { useMemo, useRef, useState, type ReactNode } from 'react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ChevronDown, ChevronRight } from 'lucide-react'
import { useFunnel } from '../../../api/use-funnel.ts'
import { formatCount } from '../../../format/numbers.ts'
import { personOf, shownId } from '../../../format/persons.ts'
import { Icon } from '../../../parts/icon.tsx'
import { MiddleCut } from '../../../parts/middle-cut.tsx'
import { QueryProgress } from '../../../parts/query-progress.tsx'
import { ReportView } from '../../../parts/report-view.tsx'
import { Skeleton } from '../../../parts/skeleton.tsx'
import { useScope } from '../../../state/scope.tsx'
import { words } from '../../../words.ts'
import { PEOPLE_MAX, funnelQuestion } from '../funnel-question.ts'
import { PersonTimeline } from './person-timeline.tsx'
import type { PanelProps } from './panel-props.ts'

const ROW_PX = 40

/** The people behind a number: exactly as many as it says. */
export default function PeopleTab({ funnel, of }: PanelProps): ReactNode {
  const scope = useScope()
  const { app, range, live } = scope
  const body = useMemo(
    () =>
      funnelQuestion(
        scope,
        range,
        { funnel: funnel.id },
        { people: { step: of.stage, outcome: of.outcome, limit: PEOPLE_MAX } },
      ),
    [scope, range, funnel.id, of.stage, of.outcome],
  )
  const report = useFunnel(app.id, body, live)
  return (
    <>
      <QueryProgress report={report} />
      <ReportView report={report} skeleton={<Skeleton height={400} />}>
        {({ people = [] }) =>
          people.length === 0 ? <p className="nothing">{words.funnels.panel.noOne}</p> : <PeopleList ids={people} />
        }
      </ReportView>
    </>
  )
}

function PeopleList({ ids }: { ids: readonly string[] }): ReactNode {
  const { unit } = useScope()
  const scroll = useRef<HTMLDivElement>(null)
  const [opened, setOpened] = useState<string | null>(null)
  const virtual = useVirtualizer({
    count: ids.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => ids[index]!,
    overscan: 8,
  })
  return (
    <>
      {ids.length === PEOPLE_MAX && <p className="hint">{words.funnels.panel.truncated(formatCount(ids.length))}</p>}
      <div ref={scroll} className="people" tabIndex={0} role="region" aria-label={words.units[unit].name}>
        <ul style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const id = ids[item.index]!
            const isOpen = id === opened
            return (
              <li
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <button
                  type="button"
                  className="person"
                  aria-expanded={isOpen}
                  onClick={() => setOpened(isOpen ? null : id)}
                >
                  <Icon of={isOpen ? ChevronDown : ChevronRight} />
                  <MiddleCut text={shownId(id)} title={id} />
                </button>
                {isOpen && <PersonTimeline id={personOf(id)} />}
              </li>
            )
          })}
        </ul>
      </div>
    </>
  )
}

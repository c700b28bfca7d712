import { useEffect, useRef, type ReactNode } from 'react'
import { X } from 'lucide-react'
import type { Meta } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { eventText, type TimelineEvent } from '../../format/event-text.ts'
import { formatInstant } from '../../format/times.ts'
import { Icon } from '../../parts/icon.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useEventNames } from '../../state/event-names.ts'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'

/** The answer of `GET events/:id`. */
interface Fate {
  readonly fate: string
  readonly reason: string
  readonly received_at: number | null
  readonly lane: number
  readonly position: number
  readonly tables: readonly string[] | null
  readonly event?: TimelineEvent
  readonly meta: Meta
}

/** Shows what became of one event: its fate and reason, and the numbers that count it. */
export function Receipt({ id, close }: { id: string; close: () => void }): ReactNode {
  const { app } = useScope()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus({ preventScroll: true }), [])
  const report = useReport<Fate>(appPath(app.id, `events/${encodeURIComponent(id)}`))
  const text = words.live
  const names = useEventNames()
  return (
    <section className="card receipt" aria-labelledby="receipt-title">
      <header>
        <h2 id="receipt-title" ref={heading} tabIndex={-1}>
          {text.receipt}
        </h2>
        <button type="button" className="plain" aria-label={words.close} onClick={close}>
          <Icon of={X} />
        </button>
      </header>
      <ReportView report={report} skeleton={<Skeleton height={240} />}>
        {({ fate, reason, received_at: received, lane, position, tables, event }) => (
          <>
            {event && (
              <p>
                <bdi>{eventText(event, names)}</bdi>
              </p>
            )}
            <dl className="attributes">
              <Line name={text.fate}>{words.trust.fateNames[fate] ?? fate}</Line>
              <Line name={text.reason}>{reason}</Line>
              {received !== null && <Line name={text.received}>{formatInstant(app.timezone, received)}</Line>}
              <Line name={text.place}>{`${lane} / ${position}`}</Line>
              {tables && <Line name={text.tables}>{tables.length === 0 ? text.noTables : tables.join(', ')}</Line>}
            </dl>
            {event && (
              <details>
                <summary>{text.content}</summary>
                <pre tabIndex={0}>{JSON.stringify(event, null, 2)}</pre>
              </details>
            )}
          </>
        )}
      </ReportView>
    </section>
  )
}

function Line({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <bdi>{children}</bdi>
      </dd>
    </div>
  )
}

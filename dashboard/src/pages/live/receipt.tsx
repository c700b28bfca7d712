import { useEffect, useRef, type ReactNode } from 'react'
import { X } from 'lucide-react'
import type { Meta } from '@hopper/contracts'
import type { LiveEvent, PlacedEvent } from './live-list.ts'
import { appPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { shownId } from '../../format/persons.ts'
import { formatInstant } from '../../format/times.ts'
import { AppLink } from '../../parts/app-link.tsx'
import { Icon } from '../../parts/icon.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { dateIn } from '../../state/date-range.ts'
import { useEventNames } from '../../state/event-names.ts'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { keyName, words } from '../../words.ts'
import { attributesOf, type Attributes } from '../people/persons.ts'
import { factsOf, pageOf } from './event-facts.ts'
import { liveWords } from './live-words.ts'

/** The answer of `GET events/:id`. */
interface Fate {
  readonly fate: string
  readonly reason: string
  readonly received_at: number | null
  readonly lane: number
  readonly position: number
  readonly tables: readonly string[] | null
  readonly event?: PlacedEvent
  readonly meta: Meta
}

interface Props {
  id: string
  /** the event, if it is in the list */
  known: LiveEvent | undefined
  close: () => void
}

/** Shows one event: all that it has, what became of it, and the numbers that count it. */
export function Receipt({ id, known, close }: Props): ReactNode {
  const { app } = useScope()
  const { search } = useSearchState()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus({ preventScroll: true }), [])
  const dates = search.on === undefined ? {} : { from: search.on, to: search.on }
  const report = useReport<Fate>(appPath(app.id, `events/${encodeURIComponent(id)}`, dates))
  const stored = report.data?.event
  const event = known ?? (stored && { ...stored, fate: report.data.fate })
  return (
    <section className="card receipt" aria-labelledby="receipt-title">
      <header>
        <h2 id="receipt-title" ref={heading} tabIndex={-1}>
          {liveWords.receipt}
        </h2>
        <button type="button" className="plain" aria-label={words.close} onClick={close}>
          <Icon of={X} />
        </button>
      </header>
      {event && <Facts event={event} />}
      <ReportView report={report} skeleton={<Skeleton height={160} />}>
        {(fate) => <Outcome fate={fate} />}
      </ReportView>
      {event && <Content event={event} />}
    </section>
  )
}

/** What happened, when, to whom and where; with the link to the person. */
function Facts({ event }: { event: LiveEvent }): ReactNode {
  const { app, range, today } = useScope()
  const names = useEventNames()
  const facts = factsOf(event, names)
  const { person, source } = facts
  const date = dateIn(app.timezone, event.timestamp)
  const address = pageOf(event)
  const isInRange = range.from <= date && date <= range.to
  const { device, browser, os, country } = event.context
  const sender = [device, browser, os, country].filter((part) => typeof part === 'string' && part !== '')
  return (
    <dl className="attributes">
      <Line name={liveWords.event}>{facts.what}</Line>
      <Line name={liveWords.when}>{formatInstant(app.timezone, event.timestamp)}</Line>
      <Line name={liveWords.who}>
        {shownId(person)}{' '}
        <AppLink
          app={app.id}
          to={`people/${encodeURIComponent(person)}`}
          search={isInRange ? {} : { range: `${date}..${today}` }}
        >
          {liveWords.openPerson}
        </AppLink>
      </Line>
      {address && <Line name={liveWords.page}>{names.page(address)}</Line>}
      {facts.element && <Line name={liveWords.element}>{facts.element}</Line>}
      {source && <Line name={liveWords.sources}>{source}</Line>}
      {sender.length > 0 && <Line name={liveWords.sender}>{sender.join(' · ')}</Line>}
    </dl>
  )
}

function Outcome({ fate: { fate, reason, received_at: received, lane, position, tables } }: { fate: Fate }): ReactNode {
  const { app } = useScope()
  return (
    <dl className="attributes">
      <Line name={liveWords.verdict}>{words.trust.fateNames[fate] ?? fate}</Line>
      <Line name={liveWords.reason}>{liveWords.reasons[reason] ?? reason}</Line>
      {received !== null && <Line name={liveWords.received}>{formatInstant(app.timezone, received)}</Line>}
      <Line name={liveWords.place}>{`${lane} / ${position}`}</Line>
      {tables && <Line name={liveWords.tables}>{tables.length === 0 ? liveWords.noTables : tables.join(', ')}</Line>}
    </dl>
  )
}

/** Every property of an event: its own fields, its data, and what is known of its sender. */
function Content({ event }: { event: LiveEvent }): ReactNode {
  const { data, context, ...own } = event
  const { utm, ...sender } = context
  const properties = [own, data, sender, utm].flatMap((part) => attributesOf((part as Attributes | undefined) ?? {}))
  return (
    <>
      <h3>{liveWords.properties}</h3>
      <dl className="attributes">
        {properties.map(([name, text], at) => (
          <Line key={at} name={keyName(name)}>
            {text === '' ? words.none : text}
          </Line>
        ))}
      </dl>
      <details>
        <summary>{liveWords.content}</summary>
        <pre tabIndex={0}>{JSON.stringify(event, null, 2)}</pre>
      </details>
    </>
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

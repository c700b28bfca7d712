import { useState, type ReactNode } from 'react'
import { Pause, Play } from 'lucide-react'
import { useLiveEvents, type LiveEvent } from '../../api/use-live-events.ts'
import { eventText, type EventNames } from '../../format/event-text.ts'
import { formatClock } from '../../format/times.ts'
import { PageFrame } from '../../frame/page-frame.tsx'
import { Icon } from '../../parts/icon.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { SearchField } from '../../parts/search-field.tsx'
import { useEventNames } from '../../state/event-names.ts'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { words } from '../../words.ts'
import { Receipt } from './receipt.tsx'

/** The events of the app as they are counted. A press on one shows its receipt. */
export default function LivePage(): ReactNode {
  const { app } = useScope()
  const { search, change } = useSearchState()
  const [typed, setTyped] = useState(search.q ?? '')
  const { events, waiting, isPaused, state, pause } = useLiveEvents(app.id)
  const text = words.live
  const names = useEventNames()
  const found = events.filter((event) => isFound(event, names, typed, search.kind))
  return (
    <PageFrame>
      <div className="page-head">
        <div>
          <PageTitle app={app.name}>{text.title}</PageTitle>
          <p className="hint">{text.hint}</p>
        </div>
        <div className="end">
          <button type="button" className="small" aria-pressed={isPaused} onClick={() => pause(!isPaused)}>
            <Icon of={isPaused ? Play : Pause} />
            {isPaused ? text.resume : text.pause}
          </button>
          {isPaused && waiting > 0 && <span className="badge">{text.waiting(waiting)}</span>}
        </div>
      </div>
      {state !== 'open' && (
        <p className="problem" role="alert">
          {state === 'ended' ? text.ended : text.offline}
        </p>
      )}
      <div className={search.event === undefined ? 'live' : 'live with-receipt'}>
        <section className="card" aria-label={text.title}>
          <LiveFilters typed={typed} setTyped={setTyped} />
          {found.length === 0 && <p className="nothing">{events.length === 0 ? text.none : text.noneFound}</p>}
          <ol className="live-events">
            {found.map((event) => (
              <li key={`${String(event['lane'])}/${String(event['position'])}/${String(event['index'])}`}>
                <LiveRow
                  event={event}
                  names={names}
                  isChosen={event.event_id === search.event}
                  choose={() => change({ event: event.event_id === search.event ? undefined : event.event_id })}
                />
              </li>
            ))}
          </ol>
        </section>
        {search.event !== undefined && (
          <Receipt key={search.event} id={search.event} close={() => change({ event: undefined })} />
        )}
      </div>
    </PageFrame>
  )
}

/** Search and kind; both are in the address, too. */
function LiveFilters({ typed, setTyped }: { typed: string; setTyped: (text: string) => void }): ReactNode {
  const { search, change } = useSearchState()
  const text = words.live
  return (
    <div className="row people-tools">
      <SearchField
        label={text.search}
        value={typed}
        set={(next) => {
          setTyped(next)
          change({ q: next.trim() === '' ? undefined : next.trim() }, { replace: true })
        }}
      />
      <label className="inline">
        {text.kind}
        <select
          value={search.kind ?? ''}
          onChange={(event) =>
            change({ kind: event.target.value === '' ? undefined : event.target.value }, { replace: true })
          }
        >
          <option value="">{text.anyKind}</option>
          {Object.entries(text.kinds).map(([kind, name]) => (
            <option key={kind} value={kind}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}

interface RowProps {
  event: LiveEvent
  names: EventNames
  isChosen: boolean
  choose: () => void
}

function LiveRow({ event, names, isChosen, choose }: RowProps): ReactNode {
  const { app } = useScope()
  return (
    <button type="button" className="live-event" aria-expanded={isChosen} onClick={choose}>
      <time className="hint tnum">{formatClock(app.timezone, event.timestamp)}</time>
      <bdi className="what">{eventText(event, names)}</bdi>
      <bdi className="cut hint">{event.user_id ?? event.device_id}</bdi>
      <span className={event.fate === 'accepted' ? 'badge settled' : 'badge warn'}>
        {words.trust.fateNames[event.fate] ?? event.fate}
      </span>
    </button>
  )
}

/** Returns whether an event is of the kind, and has the text in what it was, or in whom it came from. */
function isFound(event: LiveEvent, names: EventNames, typed: string, kind: string | undefined): boolean {
  if (kind !== undefined && event.type !== kind) return false
  const wanted = typed.trim().toLowerCase()
  const texts = [eventText(event, names), eventText(event), event.user_id ?? '', event.device_id]
  return texts.join(' ').toLowerCase().includes(wanted)
}

import type { ReactNode } from 'react'
import { ArrowRightToLine, Eye, FileText, MousePointerClick, Sparkles, UserCheck, type LucideIcon } from 'lucide-react'
import type { LiveEvent } from './live-list.ts'
import { shownId } from '../../format/persons.ts'
import { formatClock, formatTick } from '../../format/times.ts'
import { Icon } from '../../parts/icon.tsx'
import { MiddleCut } from '../../parts/middle-cut.tsx'
import { dateIn } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import type { EventFacts } from './event-facts.ts'
import { liveWords } from './live-words.ts'

const icons: Readonly<Record<string, LucideIcon>> = {
  url_change: FileText,
  click: MousePointerClick,
  btn_time: Eye,
  funnel_change: ArrowRightToLine,
  identify: UserCheck,
}

interface Props {
  event: LiveEvent
  facts: EventFacts
  isChosen: boolean
  choose: () => void
}

/** An event on one line, or on two where there is little room; a press opens it. */
export function LiveRow({ event, facts, isChosen, choose }: Props): ReactNode {
  const { app, today } = useScope()
  const { what, page, source, person } = facts
  const isToday = dateIn(app.timezone, event.timestamp) === today
  const clock = formatClock(app.timezone, event.timestamp)
  return (
    <button type="button" className="live-event" aria-expanded={isChosen} onClick={choose}>
      <time className="hint tnum" dateTime={new Date(event.timestamp).toISOString()}>
        {!isToday && <span>{formatTick(app.timezone, event.timestamp, 'day')} </span>}
        {clock}
      </time>
      <span className="live-what">
        <Icon of={icons[event.type] ?? Sparkles} />
        <bdi className="cut" title={what}>
          {what}
        </bdi>
      </span>
      <span className="live-page">{page && <MiddleCut text={page} />}</span>
      <bdi className="live-who cut" title={shownId(person)}>
        {shownId(person)}
      </bdi>
      <bdi className="live-source cut" title={source}>
        {source}
      </bdi>
      <Verdict fate={event.fate} facts={facts} />
    </button>
  )
}

/** The fate of the event, unless it was simply accepted in time. */
function Verdict({ fate, facts: { robot } }: { fate: string; facts: EventFacts }): ReactNode {
  const name = words.trust.fateNames[fate] ?? fate
  if (fate === 'accepted') return <span className="live-verdict unseen">{name}</span>
  return (
    <span className="live-verdict badge warn" title={robot && liveWords.reasons[robot]}>
      {name}
    </span>
  )
}

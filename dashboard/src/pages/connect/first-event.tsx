import { useEffect, useState, type ReactNode } from 'react'
import { CircleCheck } from 'lucide-react'
import type { Status } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { eventText, type TimelineEvent } from '../../format/event-text.ts'
import { formatCount } from '../../format/numbers.ts'
import { formatClock } from '../../format/times.ts'
import { Icon } from '../../parts/icon.tsx'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'

type LiveEvent = TimelineEvent & { readonly context: { readonly browser?: string } }

/** Waits for the first event and shows it; shows what arrives but is not counted, too. */
export function FirstEvent(): ReactNode {
  const { app } = useScope()
  const first = useFirstEvent(app.id)
  const status = useReport<Status>('/api/v1/status', true).data
  const robots = (status?.fates ?? []).reduce((sum, { fate, events }) => (fate === 'bot' ? sum + events : sum), 0)
  return (
    <>
      <div role="status">
        {first ? (
          <p className="arrived">
            <Icon of={CircleCheck} size={20} />
            <bdi>
              {words.connect.seen(
                eventText(first),
                first.context.browser ?? '',
                formatClock(app.timezone, first.timestamp),
              )}
            </bdi>
          </p>
        ) : (
          <>
            <p className="waiting">{words.connect.waiting}</p>
            <p className="hint">{words.connect.waitingHint}</p>
          </>
        )}
      </div>
      {robots > 0 && <p className="hint">{words.connect.robots(formatCount(robots))}</p>}
    </>
  )
}

/** Listens until an event is counted. */
function useFirstEvent(app: string): LiveEvent | undefined {
  const [first, setFirst] = useState<LiveEvent>()
  useEffect(() => {
    const source = new EventSource(appPath(app, 'live'))
    source.addEventListener('event', ({ data }: MessageEvent<string>) => {
      setFirst(JSON.parse(data) as LiveEvent)
      source.close()
    })
    return () => source.close()
  }, [app])
  return first
}

import type { ReactNode } from 'react'
import type { AppFates, Refusals } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { formatClock } from '../../format/times.ts'
import { keyEnd, refusalReasons } from '../../parts/states/refusal-words.ts'
import { useScope } from '../../state/scope.tsx'
import { sightingWords as texts } from './sighting-words.ts'
import { recentFates, recentRefusals, type SeenRefusal } from './sightings.ts'

/** Interval of looking for refusals and fates while somebody waits for the first event. */
const WAITING_MS = 1_500

/** Events and requests of the last day that were not counted, each with the reason and a way out. */
export function NotCounted({ isWaiting }: { isWaiting: boolean }): ReactNode {
  const { app } = useScope()
  const every = isWaiting ? WAITING_MS : undefined
  const refusals = useReport<Refusals>('/api/v1/refusals', true, every)
  const fates = useReport<AppFates>(appPath(app.id, 'fates'), true, every)
  const refused = recentRefusals(refusals.data?.rows ?? [], app.id, Date.now())
  const lost = fates.data ? recentFates(fates.data) : []
  return (
    <div role="log" aria-label={texts.title} className="not-counted">
      {refused.length + lost.length > 0 && <h3>{texts.title}</h3>}
      <ul>
        {refused.map((row) => (
          <li key={JSON.stringify([row.code, row.app, row.origin, row.key_hint])}>
            <bdi>{refusalText(row)}</bdi>{' '}
            <span className="hint">
              {texts.last(formatClock(app.timezone, row.last_at))} {texts.advice(row.code)}
            </span>
          </li>
        ))}
        {lost.map(({ fate, reason, events }) => (
          <li key={`${fate} ${reason}`}>
            {fate === 'bot' ? texts.robot(events, reason) : texts.rejected(events, reason)}
          </li>
        ))}
      </ul>
    </div>
  )
}

function refusalText({ code, key_hint: hint, origin, requests }: SeenRefusal): string {
  const why = refusalReasons[code] + (hint === null ? '' : texts.key(keyEnd(hint)))
  return texts.refused(requests, why, origin === null ? texts.noPage : texts.from(origin))
}

import type { ReactNode } from 'react'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { formatInstant, localZone } from '../../format/times.ts'
import { Card } from '../../parts/card.tsx'
import { AskButton } from '../../parts/buttons/ask-button.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { useChange } from '../../parts/use-change.ts'

interface Session {
  readonly id: string
  readonly created_at?: number
  readonly used_at?: number
  readonly expires_at: number
  readonly current: boolean
}

/** The sessions of the member; each but the current one can be ended, at once in every process. */
export function SessionsCard(): ReactNode {
  const { client } = useSession()
  const report = useReport<{ sessions: Session[] }>('/api/v1/me/sessions')
  const { error, run } = useChange(report.reload)
  return (
    <Card title="Sessions" size="wide">
      {error && <Problem error={error} />}
      <ReportView report={report}>
        {({ sessions }) => (
          <ul className="list">
            {sessions.map(({ id, created_at, used_at, expires_at, current }) => (
              <li key={id}>
                {created_at === undefined ? 'Begun earlier' : `Begun ${formatInstant(localZone, created_at)}`}{' '}
                {current && <span className="badge">this session</span>}{' '}
                <span className="hint">
                  {used_at !== undefined && `last used ${formatInstant(localZone, used_at)}, `}
                  ends {formatInstant(localZone, expires_at)}
                </span>
                {!current && (
                  <span className="list-actions">
                    <AskButton
                      verb="End"
                      label={`End the session ${id}`}
                      consequence="The browser that has it is logged out at once, and has to log in again."
                      onConfirm={() => void run(() => client.send('DELETE', `/api/v1/me/sessions/${id}`))}
                    />
                  </span>
                )}
              </li>
            ))}
          </ul>
        )}
      </ReportView>
    </Card>
  )
}

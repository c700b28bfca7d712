import { useState, type ReactNode } from 'react'
import type { JourneyResult, ListedFunnel, Meta } from '@hopper/contracts'
import { appPath, reportPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { AppLink } from '../../parts/app-link.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { useChange } from '../../parts/use-change.ts'
import { shiftDate } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'
import { proposedStages, type ProposedStage } from './proposed-stages.ts'

const DAYS = 30

/** Proposes a funnel from what was seen, and makes it with a press. */
export function FirstFunnel(): ReactNode {
  const { app, today } = useScope()
  const path = reportPath(app.id, 'journeys', { from: shiftDate(today, 1 - DAYS), to: today }, { depth: '5' })
  const journeys = useReport<JourneyResult & { meta: Meta }>(path, true)
  const funnels = useReport<{ funnels: ListedFunnel[] }>(appPath(app.id, 'funnels'))
  const existing = funnels.data?.funnels[0]
  if (existing)
    return (
      <AppLink app={app.id} to={`funnels/${encodeURIComponent(existing.id)}`}>
        {words.connect.made}: <bdi>{existing.name}</bdi>
      </AppLink>
    )
  if (!funnels.data || !(journeys.data ?? journeys.error)) return <p className="hint">{words.connect.looking}</p>
  const stages = journeys.data ? proposedStages(journeys.data) : []
  if (stages.length === 0) return <p className="hint">{words.connect.funnelLater}</p>
  return <Proposal stages={stages} onMade={funnels.reload} />
}

function Proposal({ stages, onMade }: { stages: readonly ProposedStage[]; onMade: () => void }): ReactNode {
  const { app } = useScope()
  const { client, me } = useSession()
  const { error, busy, run } = useChange(onMade)
  const [name] = useState<string>(words.connect.name)
  return (
    <>
      {error && <Problem error={error} />}
      <p>{words.connect.proposal}</p>
      <ol className="proposal">
        {stages.map(({ name: stage, url }) => (
          <li key={url}>
            <b>
              <bdi>{stage}</bdi>
            </b>{' '}
            <code>{url}</code>
          </li>
        ))}
      </ol>
      {me.member.role !== 'viewer' && (
        <button
          type="button"
          className="primary"
          disabled={busy}
          onClick={() =>
            void run(() => client.send('POST', appPath(app.id, 'funnels'), { id: 'first-funnel', name, stages }))
          }
        >
          {words.connect.makeProposal}
        </button>
      )}
    </>
  )
}

import type { ReactNode } from 'react'
import type { Status } from '@hopper/contracts'
import { useReport } from '../api/use-report.ts'
import { formatCount, formatPercent, formatSeconds } from '../format/numbers.ts'
import { formatInstant } from '../format/times.ts'
import { AppLink } from '../parts/app-link.tsx'
import { ReportView } from '../parts/states/report-view.tsx'
import { Skeleton } from '../parts/states/skeleton.tsx'
import { useScope } from '../state/scope.tsx'
import { words } from '../words.ts'

const counted = new Set(['accepted', 'late'])

/** Explains how far counting has come, what became of the events, and what an open day is. */
export default function TrustPanel({ open }: { open: number }): ReactNode {
  const { app } = useScope()
  const report = useReport<Status>('/api/v1/status', true)
  const { trust } = words
  return (
    <>
      <h2>{trust.title}</h2>
      <ReportView report={report} skeleton={<Skeleton height={280} width={400} />}>
        {(status) => (
          <>
            {status.complete_to !== null && (
              <p>{trust.completeHint(formatInstant(app.timezone, status.complete_to), app.timezone)}</p>
            )}
            <p>{open === 0 ? trust.settledHint : `${trust.openDays(open)}. ${trust.openHint}`}</p>
            <dl className="facts">
              <dt>{trust.waiting}</dt>
              <dd>{status.lag.events === 0 ? trust.none : formatCount(status.lag.events)}</dd>
              {status.lag.events > 0 && status.lag.seconds !== null && (
                <>
                  <dt>{trust.oldest}</dt>
                  <dd>{trust.ago(formatSeconds(status.lag.seconds))}</dd>
                </>
              )}
              <dt>{trust.audit}</dt>
              <dd>
                <Audit audit={status.last_audit} />
              </dd>
            </dl>
            <Robots fates={status.fates} />
            <Fates fates={status.fates} />
            <AppLink app={app.id} to="system">
              {trust.system}
            </AppLink>
          </>
        )}
      </ReportView>
    </>
  )
}

function Audit({ audit }: { audit: Status['last_audit'] }): ReactNode {
  const { timezone } = useScope().app
  if (!audit) return words.trust.noAudit
  return `${formatInstant(timezone, audit.finished_at)}: ${words.trust.auditFound(audit.differing)}`
}

function Fates({ fates }: { fates: Status['fates'] }): ReactNode {
  const all = fates.reduce((sum, { events }) => sum + events, 0)
  if (all === 0) return null
  const { trust } = words
  return (
    <section>
      <h3>{trust.fates}</h3>
      {[true, false].map((isCounted) => {
        const those = fates.filter(({ fate }) => counted.has(fate) === isCounted)
        return (
          those.length > 0 && (
            <dl key={String(isCounted)} className="facts">
              <dt>
                <b>{isCounted ? trust.counted : trust.notCounted}</b>
              </dt>
              <dd />
              {those.map(({ fate, reason, events }) => (
                <FateRow key={`${fate} ${reason}`} fate={fate} reason={reason} events={events} all={all} />
              ))}
            </dl>
          )
        )
      })}
    </section>
  )
}

/** Counts the events of robots that were kept out of the numbers, by reason. */
function Robots({ fates }: { fates: Status['fates'] }): ReactNode {
  const robots = fates.filter(({ fate }) => fate === 'bot')
  if (robots.length === 0) return null
  const { trust } = words
  return (
    <section>
      <h3>{trust.robots}</h3>
      <dl className="facts">
        {robots.map(({ reason, events }) => (
          <RobotRow key={reason} reason={reason} events={events} />
        ))}
      </dl>
    </section>
  )
}

function RobotRow({ reason, events }: { reason: string; events: number }): ReactNode {
  return (
    <>
      <dt>{words.trust.robotReasons[reason] ?? reason}</dt>
      <dd>{formatCount(events)}</dd>
    </>
  )
}

function FateRow({ fate, reason, events, all }: Status['fates'][number] & { all: number }): ReactNode {
  return (
    <>
      <dt>
        {words.trust.fateNames[fate] ?? fate} <span className="hint">{reason.replaceAll('_', ' ')}</span>
      </dt>
      <dd>
        {formatCount(events)} ({formatPercent(events / all)})
      </dd>
    </>
  )
}

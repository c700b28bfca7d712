import { useEffect, type ReactNode } from 'react'
import { appPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { formatCount, formatPercent } from '../../format/numbers.ts'
import { formatInstant } from '../../format/times.ts'
import { CopyText } from '../../parts/copy-text.tsx'
import { saveFile } from '../../parts/buttons/save-file.ts'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { words } from '../../words.ts'

const POLL_INTERVAL_MS = 2_000

/** The parts of a certificate that are shown; all of it can be saved. */
interface Forget {
  readonly person_sha256: string
  readonly state: 'waiting' | 'running' | 'done'
  readonly share: number
  readonly requested_at: number
  readonly finished_at?: number
  readonly problem?: string
  readonly removed: {
    readonly events: Readonly<Record<string, number>>
    readonly sessions: number
    readonly devices: number
    readonly messages: number
  }
}

/** Shows how far forgetting a person is, and the certificate when it is done. */
export function Certificate({ forget }: { forget: string }): ReactNode {
  const { app } = useScope()
  const report = useReport<Forget>(appPath(app.id, `forgets/${encodeURIComponent(forget)}`))
  const isDone = report.data?.state === 'done'
  const { reload } = report
  useEffect(() => {
    if (isDone) return
    const timer = setInterval(reload, POLL_INTERVAL_MS)
    return () => clearInterval(timer)
  }, [isDone, reload])
  const text = words.people
  return (
    <section className="card" aria-label={text.certificate}>
      <header>
        <h2>{text.certificate}</h2>
        {isDone && (
          <button
            type="button"
            className="small"
            onClick={() =>
              saveFile(JSON.stringify(report.data, null, 2), `${app.id}-forgotten-${forget}.json`, 'application/json')
            }
          >
            {text.saveCertificate}
          </button>
        )}
      </header>
      <ReportView report={report} skeleton={<Skeleton height={120} />}>
        {({
          state,
          share,
          removed,
          person_sha256: digest,
          requested_at: requested,
          finished_at: finished,
          problem,
        }) => (
          <>
            <p role="status">
              {state === 'done' ? text.forgotten : text.forgetting(formatPercent(share))}
              {problem !== undefined && ` ${problem}`}
            </p>
            <dl className="attributes">
              <Fact name={text.requestedAt}>{formatInstant(app.timezone, requested)}</Fact>
              {finished !== undefined && <Fact name={text.finishedAt}>{formatInstant(app.timezone, finished)}</Fact>}
              <Fact name={text.events}>
                {formatCount(Object.values(removed.events).reduce((sum, count) => sum + count, 0))}
              </Fact>
              <Fact name={words.units.session.name}>{formatCount(removed.sessions)}</Fact>
              <Fact name={text.devices}>{formatCount(removed.devices)}</Fact>
              <Fact name={text.digest}>
                <CopyText text={digest} label={text.digest} />
              </Fact>
            </dl>
          </>
        )}
      </ReportView>
    </section>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

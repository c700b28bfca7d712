import type { ReactNode } from 'react'
import type { Status } from '@hopper/contracts'
import { useReport } from '../../api/use-report.ts'
import { formatCount, formatPercent, formatRate } from '../../format/numbers.ts'
import { formatClock, formatInstant } from '../../format/times.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { ReportView } from '../../parts/report-view.tsx'
import { useScope } from '../../state/scope.tsx'
import { PageFrame } from '../../frame/page-frame.tsx'
import { PageTitle } from '../../parts/page-title.tsx'

type Fate = Status['fates'][number]
type Lane = Status['lanes'][number]
type Engine = Status['engines'][number]

const meanings: Record<string, string> = {
  accepted: 'counted',
  late: 'counted, though late',
  duplicate: 'sent twice, counted once',
  bot: 'sent by a bot, stored but not counted',
  rejected: 'refused by ingest',
}
const laneColumns: Column<Lane>[] = [
  { name: 'Lane', value: ({ lane }) => String(lane) },
  { name: 'Received', value: ({ next }) => formatCount(next), numeric: true },
  { name: 'Counted', value: ({ done }) => formatCount(done), numeric: true },
  { name: 'Lag', value: lagText, numeric: true },
]

function lagText({ lag, lost }: Lane): string {
  return lost ? `stopped: ${formatCount(lost.next - lost.first)} messages are lost` : formatCount(lag)
}

/** The fate of every event, and the health of the parts of Hopper. */
export default function SystemPage(): ReactNode {
  const { name, timezone } = useScope().app
  const report = useReport<Status>('/api/v1/status', true)
  return (
    <PageFrame>
      <div className="page-head">
        <PageTitle app={name}>System</PageTitle>
        {report.data && (
          <p className="freshness">
            <span>
              {report.data.complete_to === null ? (
                'not known how recent'
              ) : (
                <>
                  counted up to <time>{formatClock(timezone, report.data.complete_to)}</time>
                </>
              )}
            </span>
          </p>
        )}
      </div>
      <ReportView report={report}>
        {(status) => (
          <div className="cards">
            <Headline status={status} timezone={timezone} />
            <FatesCard fates={status.fates} />
            <EnginesCard engines={status.engines} />
            <Card
              title="Lanes"
              size="wide"
              hint="The partitions of the log. Lag is the number of messages received but not counted yet."
            >
              <DataTable
                caption="Lag per lane"
                columns={laneColumns}
                rows={status.lanes}
                rowKey={({ lane }) => String(lane)}
                first={64}
              />
            </Card>
          </div>
        )}
      </ReportView>
    </PageFrame>
  )
}

function Headline({ status, timezone }: { status: Status; timezone: string }): ReactNode {
  return (
    <dl className="headline wide">
      <div>
        <dt>Counting</dt>
        <dd>{formatRate(status.events_per_second)}</dd>
      </div>
      <div>
        <dt>Events to count</dt>
        <dd>{formatCount(status.lag.events)}</dd>
      </div>
      <div>
        <dt>Dead letters</dt>
        <dd className={status.dead_letters > 0 ? 'bad' : undefined}>{formatCount(status.dead_letters)}</dd>
      </div>
      <div>
        <dt>
          Hopper {status.version}, {status.mode}
        </dt>
        <dd className="small-text">since {formatInstant(timezone, status.started_at)}</dd>
      </div>
    </dl>
  )
}

function FatesCard({ fates }: { fates: readonly Fate[] }): ReactNode {
  const all = Math.max(
    1,
    fates.reduce((sum, { events }) => sum + events, 0),
  )
  const columns: Column<Fate>[] = [
    { name: 'Fate', value: ({ fate }) => fate, bar: ({ events }) => events / all },
    { name: 'Reason', value: ({ reason }) => reason.replaceAll('_', ' ') },
    { name: 'Events', value: ({ events }) => formatCount(events), numeric: true },
    { name: 'Share', value: ({ events }) => formatPercent(events / all), numeric: true },
    { name: 'Meaning', value: ({ fate }) => (Object.hasOwn(meanings, fate) ? meanings[fate]! : fate) },
  ]
  return (
    <Card
      title="Fates of the events"
      hint="All events received in the last 30 days (UTC). Every event has exactly one fate."
      size="wide"
    >
      <DataTable
        caption="Events per fate and reason"
        columns={columns}
        rows={[...fates].sort((a, b) => b.events - a.events)}
        rowKey={({ fate, reason }) => `${fate} ${reason}`}
        first={40}
        empty="No events were received in the last 30 days."
      />
    </Card>
  )
}

function EnginesCard({ engines }: { engines: readonly Engine[] }): ReactNode {
  return (
    <Card title="Engines" size="wide" hint="Where Hopper stores its data.">
      <ul className="engines">
        {engines.map(({ name, healthy, detail }) => (
          <li key={name}>
            <span className={healthy ? 'badge settled' : 'badge warn'}>{healthy ? 'healthy' : 'not healthy'}</span>{' '}
            <b>{name}</b>
            {detail !== undefined && <span className="hint"> {detail}</span>}
          </li>
        ))}
      </ul>
    </Card>
  )
}

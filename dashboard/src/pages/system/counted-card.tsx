import { useState, type ReactNode } from 'react'
import type { AppFates } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useReport } from '../../api/use-report.ts'
import { LineChart } from '../../charts/line-chart.tsx'
import { LineLegend } from '../../charts/line-legend.tsx'
import { formatCount, formatPercent } from '../../format/numbers.ts'
import { formatDate, formatTick } from '../../format/times.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { SaveButton } from '../../parts/buttons/save-button.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { courseOf, isCounted, sumOf, totalsOf, type Fate } from './fates-by-date.ts'
import { systemWords } from './system-words.ts'

const { counted: texts } = systemWords

/** The fates of the events of all apps, or of this one over time. */
export function CountedCard({ fates }: { fates: readonly Fate[] }): ReactNode {
  const { app } = useScope()
  const [isOfApp, setOfApp] = useState(false)
  const report = useReport<AppFates>(isOfApp ? appPath(app.id, 'fates') : null, true)
  return (
    <Card title={texts.title} hint={texts.hint}>
      <div className="switch" role="group" aria-label={texts.whose}>
        {[false, true].map((each) => (
          <button key={String(each)} type="button" aria-pressed={each === isOfApp} onClick={() => setOfApp(each)}>
            {each ? texts.thisApp : texts.allApps}
          </button>
        ))}
      </div>
      {isOfApp ? (
        <ReportView report={report} skeleton={<Skeleton height={300} />}>
          {(found) => (
            <>
              <FateTables fates={totalsOf(found)} />
              {found.rows.length > 0 && <Course fates={found} />}
            </>
          )}
        </ReportView>
      ) : (
        <FateTables fates={fates} />
      )}
    </Card>
  )
}

/** Counted fates come first: neither late nor repeated events are a fault. */
function FateTables({ fates }: { fates: readonly Fate[] }): ReactNode {
  const all = Math.max(1, sumOf(fates))
  if (fates.length === 0) return <p className="nothing">{texts.empty}</p>
  return [true, false].map((wanted) => {
    const those = fates.filter((fate) => isCounted(fate) === wanted)
    const name = wanted ? texts.counted : texts.notCounted
    return (
      <div key={name} className="fates">
        <h3>
          {name}{' '}
          <span className="hint tnum">{`${formatCount(sumOf(those))} · ${formatPercent(sumOf(those) / all)}`}</span>
        </h3>
        {those.length > 0 && (
          <DataTable
            caption={name}
            columns={columnsOf(all)}
            rows={[...those].sort((a, b) => b.events - a.events)}
            rowKey={({ fate, reason }) => `${fate} ${reason}`}
          />
        )}
      </div>
    )
  })
}

function columnsOf(all: number): Column<Fate>[] {
  const { fate, reason, events, share } = texts.columns
  return [
    { name: fate, value: (row) => texts.fates[row.fate] ?? row.fate, bar: (row) => row.events / all },
    { name: reason, value: (row) => texts.reason(row.reason) },
    { name: events, value: (row) => formatCount(row.events), numeric: true },
    { name: share, value: (row) => formatPercent(row.events / all), numeric: true },
  ]
}

function Course({ fates }: { fates: AppFates }): ReactNode {
  const { dates, counted, others } = courseOf(fates)
  const lines = [
    { name: texts.counted, color: '--blue', values: counted },
    { name: texts.notCounted, color: '--slate', values: others },
  ]
  return (
    <>
      <div data-picture="fates">
        <LineLegend lines={lines} />
        <LineChart
          label={texts.course}
          lines={lines}
          ticks={dates.map((date) => formatTick('UTC', Date.parse(date), 'day'))}
          titles={dates.map(formatDate)}
          openFrom={dates.length - 1}
          format={formatCount}
          height={180}
        />
      </div>
      <div className="row">
        <SaveButton name="fates" picture={{ of: 'fates', title: texts.title, follows: 'nothing' }} />
      </div>
    </>
  )
}

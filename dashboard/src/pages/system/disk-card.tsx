import type { ReactNode } from 'react'
import type { Disk, DiskPlace } from '@hopper/contracts'
import type { Report } from '../../api/use-report.ts'
import { Sparkline } from '../../charts/line-chart.tsx'
import { formatBytes, formatPercent } from '../../format/numbers.ts'
import { formatInstant } from '../../format/times.ts'
import { Card } from '../../parts/card.tsx'
import { DataTable, type Column } from '../../parts/data-table.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { systemWords } from './system-words.ts'
import { forecastText } from './verdict.ts'

const { disk: texts } = systemWords

/** The disk by part, with its growth and when it is full. */
export function DiskCard({ report, timezone }: { report: Report<Disk>; timezone: string }): ReactNode {
  return (
    <Card title={texts.title} hint={texts.hint}>
      <ReportView report={report} skeleton={<Skeleton height={260} />}>
        {({ places }) =>
          places.length === 0 ? (
            <p className="nothing">{texts.empty}</p>
          ) : (
            places.map((place) => <Place key={place.place} place={place} timezone={timezone} />)
          )
        }
      </ReportView>
    </Card>
  )
}

type Part = DiskPlace['parts'][number]

function Place({ place, timezone }: { place: DiskPlace; timezone: string }): ReactNode {
  const { used_bytes: used, free_bytes: free, size_bytes: size, bytes_per_day: rate, samples } = place
  const name = nameOf(place.place)
  const columns: Column<Part>[] = [
    { name: texts.columns.part, value: ({ part }) => texts.parts[part], bar: ({ bytes }) => bytes / Math.max(1, used) },
    { name: texts.columns.bytes, value: ({ bytes }) => formatBytes(bytes), numeric: true },
    { name: texts.columns.share, value: ({ bytes }) => formatPercent(bytes / Math.max(1, used)), numeric: true },
  ]
  return (
    <div className="disk-place">
      <h3>
        <bdi>{name}</bdi>
      </h3>
      <dl className="facts">
        <dt>{texts.used}</dt>
        <dd>{formatBytes(used)}</dd>
        <dt>{texts.free}</dt>
        <dd className={place.is_low ? 'worse' : undefined}>
          {free === null
            ? texts.unknown
            : size === null
              ? formatBytes(free)
              : texts.size(formatBytes(free), formatBytes(size))}
        </dd>
        <dt>{texts.growth}</dt>
        <dd>
          {rate === null ? texts.unknown : texts.perDay(formatBytes(rate))}{' '}
          {samples.length > 1 && (
            <Sparkline values={samples.map(({ used_bytes: bytes }) => bytes)} openFrom={samples.length} />
          )}
        </dd>
        <dt>{texts.forecast}</dt>
        <dd className={place.is_low ? 'worse' : undefined}>{free === null ? texts.unknown : forecastText(place)}</dd>
      </dl>
      <DataTable
        caption={name}
        columns={columns}
        rows={[...place.parts].sort((a, b) => b.bytes - a.bytes)}
        rowKey={({ part }) => part}
      />
      <p className="hint">{texts.measured(formatInstant(timezone, place.measured_at))}</p>
    </div>
  )
}

function nameOf(place: string): string {
  if (place === 'data') return texts.data
  return place === 'cassandra' ? texts.cassandra : place
}

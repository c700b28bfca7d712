import { useMemo, type ReactNode } from 'react'
import type { Meta, RetentionResult } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useLongQuery } from '../../api/use-funnel.ts'
import { formatCount, formatPercent } from '../../format/numbers.ts'
import { formatDates, formatStep } from '../../format/times.ts'
import { QueryCsvButton } from '../../parts/buttons/query-csv-button.tsx'
import { QueryProgress } from '../../parts/states/query-progress.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { Skeleton } from '../../parts/states/skeleton.tsx'
import { useScope } from '../../state/scope.tsx'
import { useSearchState } from '../../state/use-search.ts'
import { CallCard } from './call-card.tsx'
import type { QuestionScope } from './count-view.tsx'
import { nameOf } from './event-button.tsx'
import { retentionQuestion } from './explore-question.ts'
import { exploreWords } from './explore-words.ts'
import { retentionGrid } from './retention-grid.ts'

/** Shows who comes back: a row for each day or week of first events, a column for each one after it. */
export function RetentionView({ questionScope }: { questionScope: QuestionScope }): ReactNode {
  const { app, live } = useScope()
  const { search } = useSearchState()
  const by = search.each ?? 'week'
  const body = useMemo(
    () => retentionQuestion(questionScope, search.what, search.again, by),
    [questionScope, search.what, search.again, by],
  )
  const first = nameOf(search.what) ?? exploreWords.anyEvent
  const again = nameOf(search.again) ?? first
  const path = appPath(app.id, 'retention/query')
  const report = useLongQuery<RetentionResult & { readonly meta: Meta }>(path, body, live)
  return (
    <div className="explore-answer">
      <QueryProgress report={report} />
      <ReportView report={report} skeleton={<Skeleton height={320} />}>
        {({ cohorts, meta }) => (
          <section className="card wide" aria-label={exploreWords.retention}>
            <header>
              <div>
                <h2>{exploreWords.retention}</h2>
                <p className="hint">
                  {exploreWords.retentionHint} {exploreWords.retentionOpen}
                </p>
                <p className="hint">
                  <bdi>{exploreWords.retentionOf(first, again)}</bdi>
                </p>
              </div>
              <QueryCsvButton
                path={path}
                body={body}
                name="retention"
                picture={{ of: 'retention', title: exploreWords.retention }}
              />
            </header>
            <Grid cohorts={cohorts} completeTo={meta.complete_to} by={by} />
          </section>
        )}
      </ReportView>
      <CallCard path={path} body={body} answer={report.data} />
    </div>
  )
}

interface GridProps {
  cohorts: RetentionResult['cohorts']
  completeTo: number | null
  by: 'day' | 'week'
}

function Grid({ cohorts, completeTo, by }: GridProps): ReactNode {
  const { app, range } = useScope()
  const { rows, columns } = useMemo(() => retentionGrid(cohorts, completeTo), [cohorts, completeTo])
  if (rows.length === 0) return <p className="nothing">{exploreWords.nothing(formatDates(range.from, range.to))}</p>
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={exploreWords.retentionGrid}>
      <table className="retention" data-picture="retention">
        <caption className="unseen">{exploreWords.retentionGrid}</caption>
        <thead>
          <tr>
            <th scope="col">{exploreWords.cohort}</th>
            <th scope="col" className="number">
              {exploreWords.size}
            </th>
            {Array.from({ length: columns }, (_, index) => (
              <th key={index} scope="col" className="number">
                {exploreWords.after(index, by)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ time, size, cells }) => (
            <tr key={time}>
              <th scope="row">{formatStep(app.timezone, time, 'day')}</th>
              <td className="number">{formatCount(size)}</td>
              {cells.map(({ count, share, isOpen }, index) => (
                <td
                  key={index}
                  className={isOpen ? 'number open' : 'number'}
                  title={formatCount(count)}
                  style={{ '--share': `${Math.round(share * 100)}%` } as object}
                >
                  {formatPercent(share)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

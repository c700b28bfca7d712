import { useEffect, useMemo, useState, type ReactNode } from 'react'
import { useFunnel } from '../../../api/use-funnel.ts'
import { formatCount, formatPercent } from '../../../format/numbers.ts'
import { QueryProgress } from '../../../parts/states/query-progress.tsx'
import { ReportView } from '../../../parts/states/report-view.tsx'
import { Skeleton } from '../../../parts/states/skeleton.tsx'
import { shiftDate } from '../../../state/date-range.ts'
import { useScope } from '../../../state/scope.tsx'
import { words } from '../../../words.ts'
import { funnelQuestion } from '../funnel-question.ts'
import { conditionOf, type FunnelDraft } from './funnel-draft.ts'
import { PAST_DAYS } from './seen-list.tsx'
import { stageFilters } from './stage-filters.ts'

const TYPING_MS = 400

/** Counts the people of the past in each stage. A draft that is being typed is counted once the typing pauses. */
export function Preview({ draft }: { draft: FunnelDraft }): ReactNode {
  const { app, today, unit } = useScope()
  const question = useMemo(() => {
    const stages = draft.stages.filter(({ pattern }) => pattern.trim() !== '')
    if (stages.length === 0) return null
    const filters = stageFilters(stages.map(conditionOf))
    return funnelQuestion(
      { filters: [], unit },
      { from: shiftDate(today, 1 - PAST_DAYS), to: today },
      { steps: stages.map(({ name }, index) => ({ name: name.trim() || `${index + 1}`, filters: filters[index]! })) },
    )
  }, [draft, today, unit])
  const [body, setBody] = useState(question)
  useEffect(() => {
    const timer = setTimeout(() => setBody(question), TYPING_MS)
    return () => clearTimeout(timer)
  }, [question])
  const report = useFunnel(app.id, body, false)
  const { editor } = words.funnels
  return (
    <section className="card" aria-label={editor.preview}>
      <h2>{editor.preview}</h2>
      <QueryProgress report={report} />
      {body && (
        <ReportView report={report} skeleton={<Skeleton height={120} />}>
          {({ steps, total }) => (
            <ol className="small-funnel preview" aria-busy={body !== question}>
              {steps.map(({ name, count, rate }, index) => (
                <li key={index}>
                  <bdi className="cut">{name}</bdi>
                  <span className="stage-track" aria-hidden="true">
                    {count > 0 && <span className="reached" style={{ width: `${(count / total) * 100}%` }} />}
                  </span>
                  <span className="tnum">{formatCount(count)}</span>
                  <small className="tnum">{formatPercent(rate)}</small>
                </li>
              ))}
            </ol>
          )}
        </ReportView>
      )}
    </section>
  )
}

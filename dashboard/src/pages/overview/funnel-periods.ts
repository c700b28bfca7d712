import { useMemo } from 'react'
import type { FunnelQuery } from '@hopper/contracts'
import { resolveCompare, trendStep } from '../../state/date-range.ts'
import { useScope } from '../../state/scope.tsx'
import { funnelQuestion } from '../funnels/funnel-question.ts'

/** Returns the questions about a funnel in the range and in the period compared, by default the one before. */
export function useFunnelPeriods(funnel: string): { question: FunnelQuery; before: FunnelQuery } {
  const scope = useScope()
  return useMemo(() => {
    const { range } = scope
    const more = { trend: trendStep(range) }
    const compared = scope.compared ?? resolveCompare('previous', range)
    return {
      question: funnelQuestion(scope, range, { funnel }, more),
      before: funnelQuestion(scope, compared, { funnel }, more),
    }
  }, [scope, funnel])
}

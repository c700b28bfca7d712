import type { ReactNode } from 'react'
import type { Status } from '@hopper/contracts'
import { useReport } from '../api/use-report.ts'
import { countingText } from '../format/counting.ts'

/** Returns the backlog as text; undefined for none or a momentary one. */
export function useCounting(): string | undefined {
  const { data } = useReport<Status>('/api/v1/status', true)
  return data && countingText(data.lag)
}

/** A badge that shows how many events are still to be counted. */
export function Counting(): ReactNode {
  const text = useCounting()
  return (
    text && (
      <span className="badge warn" role="status" title="The numbers grow until these events are counted.">
        {text}
      </span>
    )
  )
}

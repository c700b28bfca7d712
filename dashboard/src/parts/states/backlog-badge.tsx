import type { ReactNode } from 'react'
import type { Status } from '@hopper/contracts'
import { useReport } from '../../api/use-report.ts'
import { backlogText } from '../../format/backlog.ts'

/** Returns the backlog as text; undefined for none or a momentary one. */
export function useBacklog(): string | undefined {
  const { data } = useReport<Status>('/api/v1/status', true)
  return data && backlogText(data.lag)
}

/** A badge that shows how many events are still to be counted. */
export function BacklogBadge(): ReactNode {
  const text = useBacklog()
  return (
    text && (
      <span className="badge warn" role="status" title="The numbers grow until these events are counted.">
        {text}
      </span>
    )
  )
}

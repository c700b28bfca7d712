import type { ReactNode } from 'react'
import type { Meta } from '@hopper/contracts'
import { formatClock, formatDates, formatInstant } from '../../format/times.ts'
import { BacklogBadge } from './backlog-badge.tsx'

/** numbers older than this may be waiting for a backlog */
const BEHIND_MS = 5_000

const settled = 'Every date of the range ended more than 7 days ago: only late events can still change these numbers.'
const open = 'Events of these dates can still arrive, so the numbers can still grow.'

/** Shows how recent the numbers are and whether they can still change. */
export function Freshness({ meta }: { meta: Meta | undefined }): ReactNode {
  if (!meta) return <p className="freshness">&nbsp;</p>
  return (
    <p className="freshness">
      <span>
        {formatDates(meta.from, meta.to)} ({meta.timezone})
      </span>
      {meta.complete_to === null ? (
        <span title="The log cannot be reached, and no earlier state of it is recorded.">freshness unknown</span>
      ) : (
        <span title={formatInstant(meta.timezone, meta.complete_to)}>
          counted up to <time>{formatClock(meta.timezone, meta.complete_to)}</time>
        </span>
      )}
      <span className={meta.settled ? 'badge settled' : 'badge open'} title={meta.settled ? settled : open}>
        {meta.settled ? 'settled' : 'open'}
      </span>
      {meta.complete_to !== null && Date.now() - meta.complete_to > BEHIND_MS && <BacklogBadge />}
      {meta.truncated && (
        <span className="badge warn" title="There are too many rows to show; these are the largest.">
          truncated
        </span>
      )}
    </p>
  )
}

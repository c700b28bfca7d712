import type { ReactNode } from 'react'
import type { Meta } from '@hopper/contracts'
import { formatClock, formatDates, formatInstant } from '../format/times.ts'

const settled = 'Every date of the range ended more than 7 days ago: only an event that arrives late can still change these numbers.'
const open = 'Events of these dates can still arrive, so the numbers can still grow.'

/** How new the numbers are and whether they can still change. */
export function Freshness({ meta }: { meta: Meta | undefined }): ReactNode {
  if (!meta) return <p className="freshness">&nbsp;</p>
  return (
    <p className="freshness">
      <span>{formatDates(meta.from, meta.to)} ({meta.timezone})</span>
      <span title={formatInstant(meta.timezone, meta.complete_to)}>counted up to <time>{formatClock(meta.timezone, meta.complete_to)}</time></span>
      <span className={meta.settled ? 'badge settled' : 'badge open'} title={meta.settled ? settled : open}>{meta.settled ? 'settled' : 'open'}</span>
      {meta.truncated && <span className="badge warn" title="There are more rows than an answer holds; the largest are here.">cut</span>}
    </p>
  )
}

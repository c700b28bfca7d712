import { useEffect, useState, type ReactNode } from 'react'
import type { LongReport } from '../../api/use-funnel.ts'
import { formatPercent } from '../../format/numbers.ts'
import { words } from '../../words.ts'

/** Delay before progress is shown: a faster query shows none. */
const SHOWN_AFTER_MS = 1_000

/** Shows the progress of a long query, with a button that stops it. Takes no room, so that nothing moves. */
export function QueryProgress({ report }: { report: LongReport<unknown> }): ReactNode {
  const { loading, progress, stop, data, error, reload } = report
  const [isLong, setLong] = useState(false)
  useEffect(() => {
    setLong(false)
    if (!loading) return
    const timer = setTimeout(() => setLong(true), SHOWN_AFTER_MS)
    return () => clearTimeout(timer)
  }, [loading])
  if (!loading && data === undefined && !error)
    return (
      <p className="query-progress" role="status">
        {words.progress.stopped}{' '}
        <button type="button" className="small" onClick={reload}>
          {words.progress.again}
        </button>
      </p>
    )
  if (!loading || !isLong) return null
  const share = progress && progress.total > 0 ? progress.done / progress.total : 0
  return (
    <div className="query-progress" role="status">
      <progress value={share} aria-label={words.progress.reading('')} />
      <span className="tnum">{words.progress.reading(formatPercent(share))}</span>
      <button type="button" className="small" onClick={stop}>
        {words.progress.stop}
      </button>
    </div>
  )
}

import type { ReactNode } from 'react'
import type { BackfillProgress } from '@hopper/contracts'

/** Shows a badge while the events from before a funnel existed are being counted, and nothing afterwards. */
export function PastProgress({ past: { state, share } }: { past: BackfillProgress }): ReactNode {
  if (state === 'done') return null
  const text =
    state === 'waiting' ? 'Its past will be counted' : `Its past is being counted: ${Math.floor(share * 100)} %`
  return (
    <span
      className="badge warn"
      role="status"
      title="The numbers grow until the events from before this funnel existed are counted."
    >
      {text}
    </span>
  )
}

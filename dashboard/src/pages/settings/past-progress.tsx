import type { ReactNode } from 'react'
import type { BackfillProgress } from '@hopper/contracts'

/** A badge while the events from before a funnel was made are being counted; nothing once they are. */
export function PastProgress({ past: { state, share } }: { past: BackfillProgress }): ReactNode {
  if (state === 'done') return null
  const text =
    state === 'waiting' ? 'Its past will be counted' : `Its past is being counted: ${Math.floor(share * 100)} %`
  return (
    <span
      className="badge warn"
      role="status"
      title="The numbers grow until the events from before this funnel are counted."
    >
      {text}
    </span>
  )
}

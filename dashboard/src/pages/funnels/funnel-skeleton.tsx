import type { ReactNode } from 'react'
import { Skeleton } from '../../parts/states/skeleton.tsx'

/** The shape of a funnel before its numbers are there. */
export function FunnelSkeleton({ stages }: { stages: number }): ReactNode {
  return (
    <section className="card" aria-hidden="true">
      <Skeleton height={64} width={280} />
      {Array.from({ length: stages }, (_, index) => (
        <div key={index} className="stage-skeleton">
          <Skeleton height={28} />
        </div>
      ))}
    </section>
  )
}

import type { ReactNode } from 'react'

/** The bar behind a row of `.bars`, as long as its share of the room in front of the numbers. */
export function BarsFill({ share }: { share: number }): ReactNode {
  return (
    <span className="bars-room" aria-hidden="true">
      <span className="bars-fill" style={{ width: `${share * 100}%` }} />
    </span>
  )
}

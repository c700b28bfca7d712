import type { CSSProperties, ReactNode } from 'react'

/** A grey area of the size of the content that is loading. */
export function Skeleton({ height, width }: { height: number; width?: number | string }): ReactNode {
  const style: CSSProperties = { height, ...(width === undefined ? {} : { width }) }
  return <span className="skeleton" style={style} aria-hidden="true" />
}

import type { ReactNode } from 'react'

export function Loading(): ReactNode {
  return (
    <p className="loading" role="status">
      Loading …
    </p>
  )
}

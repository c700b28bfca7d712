import type { ReactNode } from 'react'
import { words } from '../../words.ts'

export function Loading(): ReactNode {
  return (
    <p className="loading" role="status">
      {words.loading}
    </p>
  )
}

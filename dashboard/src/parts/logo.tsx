import type { ReactNode } from 'react'
import { words } from '../words.ts'

export function Logo(): ReactNode {
  return (
    <span className="logo">
      <img src="/icon.svg" alt="" width="28" height="28" />
      <span>{words.product}</span>
    </span>
  )
}

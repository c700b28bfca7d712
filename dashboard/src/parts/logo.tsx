import type { ReactNode } from 'react'

export function Logo(): ReactNode {
  return (
    <span className="logo">
      <img src="/icon.svg" alt="" width="28" height="28" />
      Hopper
    </span>
  )
}

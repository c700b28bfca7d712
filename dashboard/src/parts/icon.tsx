import type { ReactNode } from 'react'
import type { LucideIcon } from 'lucide-react'

/** An icon beside a text, or in a control that has a name. */
export function Icon({ of: Picture, size = 16 }: { of: LucideIcon; size?: number }): ReactNode {
  return <Picture className="icon" size={size} strokeWidth={1.75} aria-hidden="true" />
}

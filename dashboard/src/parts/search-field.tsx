import type { ReactNode } from 'react'

interface Props {
  label: string
  value: string
  set: (value: string) => void
  /** true: the field has the focus at once, as in a popover that was opened to search */
  autoFocus?: boolean
}

/** A field to search a list with; its label is shown inside of it. */
export function SearchField({ label, value, set, autoFocus }: Props): ReactNode {
  return (
    <input
      type="search"
      autoFocus={autoFocus}
      aria-label={label}
      placeholder={label}
      value={value}
      onChange={(event) => set(event.target.value)}
    />
  )
}

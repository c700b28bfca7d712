import { useState, type ReactNode } from 'react'

/** Deletes on the second press; moving the focus away cancels the first one. */
export function ConfirmButton({ label, onConfirm }: { label: string; onConfirm: () => void }): ReactNode {
  const [asked, setAsked] = useState(false)
  const press = (): void => {
    if (asked) onConfirm()
    setAsked(!asked)
  }
  return (
    <button
      type="button"
      className={asked ? 'small danger' : 'small'}
      aria-label={asked ? `Really: ${label}` : label}
      onClick={press}
      onBlur={() => setAsked(false)}
    >
      {asked ? 'Really delete?' : 'Delete'}
    </button>
  )
}

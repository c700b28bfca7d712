import { useState, type ReactNode } from 'react'

/** Deletes on the second press; moving the focus away cancels the first one. */
export function ConfirmButton({ label, onConfirm }: { label: string; onConfirm: () => void }): ReactNode {
  const [isConfirming, setConfirming] = useState(false)
  const press = (): void => {
    if (isConfirming) onConfirm()
    setConfirming(!isConfirming)
  }
  return (
    <button
      type="button"
      className={isConfirming ? 'small danger' : 'small'}
      aria-label={isConfirming ? `Really: ${label}` : label}
      onClick={press}
      onBlur={() => setConfirming(false)}
    >
      {isConfirming ? 'Really delete?' : 'Delete'}
    </button>
  )
}

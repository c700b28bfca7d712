import { useState, type ReactNode } from 'react'

interface Props {
  /** what it does, with its object */
  label: string
  /** what it says; default Delete */
  verb?: string
  onConfirm: () => void
}

/** Acts on the second press; moving the focus away cancels the first one. */
export function ConfirmButton({ label, verb = 'Delete', onConfirm }: Props): ReactNode {
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
      {isConfirming ? `Really ${verb.toLowerCase()}?` : verb}
    </button>
  )
}

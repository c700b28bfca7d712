import { lazy, Suspense, useState, type ReactNode } from 'react'
import { useFocusHandover } from './use-focus-handover.ts'

const loadFloating = () => import('../floating.tsx')
const Floating = lazy(loadFloating)

interface Props {
  /** content of the button */
  button: ReactNode
  /** the name of the button, if what it shows does not say it, and of what it opens */
  label: string
  className?: string
  children: (close: () => void) => ReactNode
}

/** A button that opens a floating dialog beside it. What floats is loaded when the pointer or the focus comes near. */
export function PopoverButton({ button, label, className, children }: Props): ReactNode {
  const trigger = useFocusHandover()
  const [isOpen, setOpen] = useState(false)
  const close = (): void => setOpen(false)
  return (
    <>
      <button
        ref={trigger}
        type="button"
        className={className}
        aria-label={label}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        onPointerEnter={() => void loadFloating()}
        onFocus={() => void loadFloating()}
        onClick={() => setOpen(!isOpen)}
      >
        {button}
      </button>
      {isOpen && (
        <Suspense fallback={null}>
          <Floating trigger={trigger} label={label} onClose={close}>
            {children(close)}
          </Floating>
        </Suspense>
      )}
    </>
  )
}

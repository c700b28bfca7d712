import { useLayoutEffect, useRef, type ReactNode } from 'react'

interface Props {
  label: string
  className: string
  onClose: () => void
  children: ReactNode
}

/** A dialog over the page: it holds the focus, closes with Escape or a press outside, and gives the focus back. */
export function ModalDialog({ label, className, onClose, children }: Props): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const { current } = dialog
    current!.showModal()
    return () => current!.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className={`modal ${className}`}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={({ target, currentTarget }) => {
        if (target === currentTarget) onClose()
      }}
    >
      <div className="modal-body">{children}</div>
    </dialog>
  )
}

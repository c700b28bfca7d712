import type { ReactNode, RefObject } from 'react'
import { Dialog } from 'react-aria-components/Dialog'
import { Popover } from 'react-aria-components/Popover'

interface Props {
  trigger: RefObject<HTMLElement | null>
  label: string
  onClose: () => void
  children: ReactNode
}

/** A dialog that floats beside its trigger, holds the focus and closes with Escape or a press outside. */
export default function Floating({ trigger, label, onClose, children }: Props): ReactNode {
  return (
    <Popover
      className="popover"
      triggerRef={trigger}
      isOpen
      placement="bottom start"
      offset={4}
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose()
      }}
    >
      <Dialog aria-label={label}>
        <div className="popover-body">{children}</div>
      </Dialog>
    </Popover>
  )
}

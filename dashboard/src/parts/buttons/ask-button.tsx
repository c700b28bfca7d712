import { useState, type ReactNode } from 'react'
import { words } from '../../words.ts'
import { ModalDialog } from '../modal-dialog.tsx'
import { useFocusHandover } from './use-focus-handover.ts'

interface Props {
  /** its action and the object: the question of the dialog */
  label: string
  /** its text; default Delete */
  verb?: string
  /** the consequence of confirming, such as the data that is lost */
  consequence: string
  onConfirm: () => void
}

/** A button that acts after a dialog, which says what will be lost, is confirmed. */
export function AskButton({ label, verb = words.delete, consequence, onConfirm }: Props): ReactNode {
  const button = useFocusHandover()
  const [isAsking, setAsking] = useState(false)
  const close = (): void => setAsking(false)
  const confirm = (): void => {
    close()
    onConfirm()
  }
  return (
    <>
      <button
        ref={button}
        type="button"
        className="small"
        aria-label={label}
        aria-haspopup="dialog"
        onClick={() => setAsking(true)}
      >
        {verb}
      </button>
      {isAsking && (
        <ModalDialog label={`${label}?`} className="ask" onClose={close}>
          <h2>
            <bdi>{label}?</bdi>
          </h2>
          <p>
            <bdi>{consequence}</bdi>
          </p>
          <div className="row">
            <button type="button" autoFocus onClick={close}>
              {words.cancel}
            </button>
            <button type="button" className="danger" onClick={confirm}>
              {verb}
            </button>
          </div>
        </ModalDialog>
      )}
    </>
  )
}

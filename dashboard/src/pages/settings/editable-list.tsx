import { useState, type ReactNode } from 'react'
import { AskButton } from '../../parts/buttons/ask-button.tsx'
import { useChange } from '../../parts/use-change.ts'

/** State of a list whose items are edited one at a time, and the calls that change it. */
export interface ListEditor {
  readonly error: Error | null
  readonly busy: boolean
  /** the id of the item in the form; '' for a new one, null when no form is open */
  readonly edited: string | null
  readonly edit: (id: string) => void
  readonly cancel: () => void
  /** runs the call of a form, and closes the form when it succeeds */
  readonly save: (call: () => Promise<unknown>) => void
  /** runs another call, such as one that deletes an item */
  readonly run: (call: () => Promise<unknown>) => void
}

/** Edits a list; `reload` is called after every change. */
export function useListEditor(reload: () => void): ListEditor {
  const { error, busy, run } = useChange(reload)
  const [edited, setEdited] = useState<string | null>(null)
  const save = async (call: () => Promise<unknown>): Promise<void> => {
    if (await run(call)) setEdited(null)
  }
  return {
    error,
    busy,
    edited,
    edit: setEdited,
    cancel: () => setEdited(null),
    save: (call) => void save(call),
    run: (call) => void run(call),
  }
}

interface ItemProps {
  editor: ListEditor
  id: string
  name: string
  mayChange: boolean
  form: () => ReactNode
  /** the call that deletes the item */
  remove: () => Promise<unknown>
  /** data that is lost with the item */
  consequence: string
  children: ReactNode
}

/** An item: its form while it is edited, else its name and details, with buttons for those who may change it. */
export function EditableItem({
  editor,
  id,
  name,
  mayChange,
  form,
  remove,
  consequence,
  children,
}: ItemProps): ReactNode {
  if (editor.edited === id) return <li>{form()}</li>
  return (
    <li>
      <b>{name}</b> {children}
      {mayChange && (
        <span className="list-actions">
          <button type="button" className="small" aria-label={`Edit ${name}`} onClick={() => editor.edit(id)}>
            Edit
          </button>
          <AskButton label={`Delete ${name}`} consequence={consequence} onConfirm={() => editor.run(remove)} />
        </span>
      )}
    </li>
  )
}

interface AddProps {
  editor: ListEditor
  label: string
  form: () => ReactNode
}

/** The form of a new item, and the button that opens it. */
export function AddItem({ editor, label, form }: AddProps): ReactNode {
  if (editor.edited === '') return form()
  return (
    <button type="button" onClick={() => editor.edit('')}>
      {label}
    </button>
  )
}

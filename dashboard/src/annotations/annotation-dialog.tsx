import type { FormEvent, ReactNode } from 'react'
import type { AnnotationPatch, AnnotationView, NewAnnotation } from '@hopper/contracts'
import { appPath } from '../api/paths.ts'
import { useSession } from '../api/session.tsx'
import { ModalDialog } from '../parts/modal-dialog.tsx'
import { Problem } from '../parts/states/problem.tsx'
import { useChange } from '../parts/use-change.ts'
import { useScope } from '../state/scope.tsx'
import { words as allWords } from '../words.ts'
import { annotationWords as words } from './annotation-words.ts'

const TEXT_CHARS_MAX = 500

interface Props {
  /** the one that is changed; a new one if missing */
  note?: AnnotationView
  funnel?: { readonly id: string; readonly name: string }
  onSaved: () => void
  onClose: () => void
}

/** Notes what happened on a date, or from one date to another. */
export default function AnnotationDialog({ note, funnel, onSaved, onClose }: Props): ReactNode {
  const { app, range } = useScope()
  const { client } = useSession()
  const { error, busy, run } = useChange(onSaved)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const save = (): Promise<unknown> =>
      note
        ? client.send('PATCH', appPath(app.id, `annotations/${note.id}`), patchOf(form))
        : client.send('POST', appPath(app.id, 'annotations'), newNote(form))
    void run(save).then((isSaved) => {
      if (isSaved) onClose()
    })
  }
  const title = note ? words.editTitle : words.addTitle
  return (
    <ModalDialog label={title} className="share" onClose={onClose}>
      <h2>{title}</h2>
      <form className="stack" onSubmit={submit}>
        <label>
          {words.from}
          <input name="from" type="date" defaultValue={note?.from ?? range.to} required />
        </label>
        <label>
          {words.to}
          <input name="to" type="date" defaultValue={note?.to ?? ''} />
        </label>
        <label>
          {words.text}
          <textarea name="text" rows={3} maxLength={TEXT_CHARS_MAX} defaultValue={note?.text ?? ''} required />
        </label>
        {funnel && (
          <label>
            {words.about}
            <select name="funnel" defaultValue={note && note.funnel === undefined ? '' : funnel.id}>
              <option value={funnel.id}>{funnel.name}</option>
              <option value="">{words.wholeApp}</option>
            </select>
          </label>
        )}
        {error && <Problem error={error} />}
        <button type="submit" className="primary" disabled={busy}>
          {words.save}
        </button>
      </form>
      <button type="button" onClick={onClose}>
        {allWords.close}
      </button>
    </ModalDialog>
  )
}

function newNote(form: FormData): NewAnnotation {
  const { from = '', text = '', to, funnel } = patchOf(form)
  return { from, text, ...(to ? { to } : {}), ...(funnel ? { funnel } : {}) }
}

function patchOf(form: FormData): AnnotationPatch {
  const text = (name: string): string => ((form.get(name) as string | null) ?? '').trim()
  return {
    from: text('from'),
    to: text('to') === '' ? null : text('to'),
    text: text('text'),
    ...(form.has('funnel') ? { funnel: text('funnel') === '' ? null : text('funnel') } : {}),
  }
}

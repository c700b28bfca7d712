import { lazy, Suspense, useState, type ReactNode } from 'react'
import type { Annotations, AnnotationView } from '@hopper/contracts'
import { appPath, reportPath } from '../api/paths.ts'
import { useSession } from '../api/session.tsx'
import { useReport, type Report } from '../api/use-report.ts'
import { formatDates } from '../format/times.ts'
import { AskButton } from '../parts/buttons/ask-button.tsx'
import { Problem } from '../parts/states/problem.tsx'
import { useChange } from '../parts/use-change.ts'
import { useScope } from '../state/scope.tsx'
import { annotationWords as words } from './annotation-words.ts'

const AnnotationDialog = lazy(() => import('./annotation-dialog.tsx'))

interface AboutFunnel {
  readonly id: string
  readonly name: string
}

/** Loads what was noted in the range about the whole app, and about a funnel if there is one. */
export function useAnnotations(funnel?: string): Report<Annotations> & { readonly notes: readonly AnnotationView[] } {
  const { app, range } = useScope()
  const report = useReport<Annotations>(reportPath(app.id, 'annotations', range, { funnel }))
  const all = report.data?.annotations ?? []
  return { ...report, notes: funnel === undefined ? all.filter((note) => note.funnel === undefined) : all }
}

interface Props {
  notes: readonly AnnotationView[]
  reload: () => void
  /** the funnel of the trend, which a note can be about */
  funnel?: AboutFunnel
}

/** The notes on a trend below it, by the numbers of their marks. */
export function AnnotationList({ notes, reload, funnel }: Props): ReactNode {
  const { app } = useScope()
  const { client, me } = useSession()
  const { error, run } = useChange(reload)
  const [edited, setEdited] = useState<AnnotationView | 'new'>()
  const mayChange = me.member.role !== 'viewer'
  if (notes.length === 0 && !mayChange) return null
  return (
    <div className="annotations">
      {error && <Problem error={error} />}
      {notes.length > 0 && (
        <ol className="list" aria-label={words.title}>
          {notes.map((note, index) => (
            <li key={note.id}>
              <span className="note-number">{index + 1}</span>
              <span>
                <b>{formatDates(note.from, note.to ?? note.from)}</b> <bdi>{note.text}</bdi>
                {note.created_by !== undefined && (
                  <span className="hint">
                    {' '}
                    <bdi>{words.by(note.changed_by ?? note.created_by)}</bdi>
                  </span>
                )}
              </span>
              {mayChange && (
                <span className="list-actions">
                  <button
                    type="button"
                    className="small"
                    aria-label={words.editOf(note.text)}
                    onClick={() => setEdited(note)}
                  >
                    {words.edit}
                  </button>
                  <AskButton
                    label={words.remove(note.text)}
                    consequence={words.removal}
                    onConfirm={() => void run(() => client.send('DELETE', appPath(app.id, `annotations/${note.id}`)))}
                  />
                </span>
              )}
            </li>
          ))}
        </ol>
      )}
      {mayChange && (
        <button type="button" className="small" aria-haspopup="dialog" onClick={() => setEdited('new')}>
          {words.add}
        </button>
      )}
      {edited && (
        <Suspense fallback={null}>
          <AnnotationDialog
            {...(edited === 'new' ? {} : { note: edited })}
            {...(funnel ? { funnel } : {})}
            onSaved={reload}
            onClose={() => setEdited(undefined)}
          />
        </Suspense>
      )}
    </div>
  )
}

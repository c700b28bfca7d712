import { useState, type FormEvent, type ReactNode } from 'react'
import type { Element } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { Card } from '../../parts/card.tsx'
import { ConfirmButton } from '../../parts/confirm-button.tsx'
import { Problem } from '../../parts/problem.tsx'
import { ReportView } from '../../parts/report-view.tsx'
import { useChange } from '../../parts/use-change.ts'

/** The interesting elements of an app. */
export function ElementsSettings({ app, mayChange }: { app: string; mayChange: boolean }): ReactNode {
  const { client } = useSession()
  const elements = useReport<{ elements: Element[] }>(appPath(app, 'elements'))
  const { error, busy, run } = useChange(elements.reload)
  /** the XPath of the element in the form; '' for a new one */
  const [edited, setEdited] = useState<string | null>(null)
  const save = async (element: Element): Promise<void> => {
    const done = await run(() =>
      edited === '' || edited === null
        ? client.send('POST', appPath(app, 'elements'), element)
        : client.send('PATCH', appPath(app, 'elements', { xpath: edited }), element),
    )
    if (done) setEdited(null)
  }
  const form = (element: Element): ReactNode => (
    <ElementForm element={element} busy={busy} save={(next) => void save(next)} cancel={() => setEdited(null)} />
  )
  return (
    <Card
      title="Interesting elements"
      size="wide"
      hint="For each element, Hopper counts how often people hover and then leave or click, and after how long."
    >
      {error && <Problem error={error} />}
      <ReportView report={elements}>
        {({ elements: all }) => (
          <ul className="list">
            {all.map((element) => (
              <li key={element.xpath}>
                {edited === element.xpath ? (
                  form(element)
                ) : (
                  <>
                    <b>{element.name}</b> <code>{element.xpath}</code>
                    {mayChange && (
                      <span className="list-actions">
                        <button
                          type="button"
                          className="small"
                          aria-label={`Edit ${element.name}`}
                          onClick={() => setEdited(element.xpath)}
                        >
                          Edit
                        </button>
                        <ConfirmButton
                          label={`Delete ${element.name}`}
                          onConfirm={() =>
                            void run(() => client.send('DELETE', appPath(app, 'elements', { xpath: element.xpath })))
                          }
                        />
                      </span>
                    )}
                  </>
                )}
              </li>
            ))}
          </ul>
        )}
      </ReportView>
      {mayChange &&
        (edited === '' ? (
          form({ name: '', xpath: '' })
        ) : (
          <button type="button" onClick={() => setEdited('')}>
            Add an element
          </button>
        ))}
    </Card>
  )
}

interface FormProps {
  element: Element
  busy: boolean
  save: (element: Element) => void
  cancel: () => void
}

function ElementForm({ element, busy, save, cancel }: FormProps): ReactNode {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    save({ name: (form.get('name') as string).trim(), xpath: (form.get('xpath') as string).trim() })
  }
  return (
    <form className="fields" onSubmit={submit}>
      <label>
        Name
        <input name="name" defaultValue={element.name} maxLength={200} required autoFocus />
      </label>
      <label>
        XPath
        <input
          name="xpath"
          defaultValue={element.xpath}
          placeholder="//*[@id='buy-now']"
          maxLength={1024}
          spellCheck={false}
          required
        />
      </label>
      <div className="row">
        <button type="submit" className="primary" disabled={busy}>
          Save
        </button>
        <button type="button" onClick={cancel}>
          Cancel
        </button>
      </div>
    </form>
  )
}

import { useState, type FormEvent, type ReactNode } from 'react'
import type { Element } from '@hopper/contracts'
import { appPath } from '../../api/paths.ts'
import { useSession } from '../../api/session.tsx'
import { useReport } from '../../api/use-report.ts'
import { Card } from '../../parts/card.tsx'
import { PickButton } from '../../parts/buttons/pick-button.tsx'
import { Problem } from '../../parts/states/problem.tsx'
import { ReportView } from '../../parts/states/report-view.tsx'
import { pickerWords } from '../../parts/picker-words.ts'
import { AddItem, EditableItem, useListEditor } from './editable-list.tsx'

const DELETION =
  'From now on it is not measured, and the page Elements does not list it. Events that were counted stay.'

/** The interesting elements of an app. */
export function ElementsSettings({ app, mayChange }: { app: string; mayChange: boolean }): ReactNode {
  const { client } = useSession()
  const elements = useReport<{ elements: Element[] }>(appPath(app, 'elements'))
  const editor = useListEditor(elements.reload)
  const { error, busy, edited } = editor
  const pathOf = (xpath: string): string => appPath(app, 'elements', { xpath })
  const save = (element: Element): Promise<unknown> =>
    edited ? client.send('PATCH', pathOf(edited), element) : client.send('POST', appPath(app, 'elements'), element)
  const form = (element: Element): ReactNode => (
    <ElementForm element={element} busy={busy} save={(next) => editor.save(() => save(next))} cancel={editor.cancel} />
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
              <EditableItem
                key={element.xpath}
                editor={editor}
                id={element.xpath}
                name={element.name}
                mayChange={mayChange}
                form={() => form(element)}
                consequence={DELETION}
                remove={() => client.send('DELETE', pathOf(element.xpath))}
              >
                <code>{element.xpath}</code>
              </EditableItem>
            ))}
          </ul>
        )}
      </ReportView>
      {mayChange && <AddItem editor={editor} label="Add an element" form={() => form({ name: '', xpath: '' })} />}
    </Card>
  )
}

interface FormProps {
  element: Element
  busy: boolean
  save: (element: Element) => void
  cancel: () => void
}

/** The fields of an element; what is picked on a page replaces them, except for a name that somebody has chosen. */
function ElementForm({ element, busy, save, cancel }: FormProps): ReactNode {
  const [name, setName] = useState(element.name)
  const [xpath, setXPath] = useState(element.xpath)
  const [fingerprints, setFingerprints] = useState((element.fingerprints ?? []).join('\n'))
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const lines = fingerprints.split('\n').map((line) => line.trim())
    save({ name: name.trim(), xpath: xpath.trim(), fingerprints: lines.filter((line) => line !== '') })
  }
  return (
    <form className="fields" onSubmit={submit}>
      <PickButton
        label={pickerWords.element}
        picked={(picked) => {
          setName((chosen) => chosen || picked.name)
          setXPath(picked.xpath)
          setFingerprints(picked.fingerprints.join('\n'))
        }}
      />
      <label>
        Name
        <input value={name} maxLength={200} required autoFocus onChange={(event) => setName(event.target.value)} />
      </label>
      <label>
        XPath
        <input
          value={xpath}
          placeholder="//*[@id='buy-now']"
          maxLength={1024}
          spellCheck={false}
          required
          onChange={(event) => setXPath(event.target.value)}
        />
      </label>
      <label>
        {pickerWords.fingerprints}
        <textarea
          value={fingerprints}
          rows={3}
          maxLength={1600}
          spellCheck={false}
          onChange={(event) => setFingerprints(event.target.value)}
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

import { useId, useState, type ReactNode } from 'react'
import { words } from '../words.ts'
import { CsvButton } from './buttons/csv-button.tsx'
import { SaveButton, type Picture } from './buttons/save-button.tsx'

interface Props {
  title: string
  hint?: string
  /** the report to save */
  csv?: { path: string; name: string }
  picture?: ReactNode
  /** file name of the saved picture, and the choices that it follows */
  png?: { name: string } & Pick<Picture, 'follows'>
  table?: ReactNode
  /** half the page if missing */
  size?: 'wide' | 'third'
  stale?: boolean
  children?: ReactNode
}

/** A titled card with a chart, a table of the same numbers, or both. */
export function Card({ title, hint, csv, picture, png, table, size, stale = false, children }: Props): ReactNode {
  const id = useId()
  const [asTable, setAsTable] = useState(false)
  const both = picture !== undefined && table !== undefined
  const shown = picture !== undefined && !(both && asTable) ? picture : undefined
  const saved = png && shown !== undefined ? { of: id, title, ...png } : undefined
  return (
    <section className={size ? `card ${size}` : 'card'} aria-labelledby={id} aria-busy={stale}>
      <header>
        <h2 id={id}>{title}</h2>
        <div className="card-actions">
          {both && (
            <div className="switch" role="group" aria-label={`${title} as`}>
              <button type="button" aria-pressed={!asTable} onClick={() => setAsTable(false)}>
                Chart
              </button>
              <button type="button" aria-pressed={asTable} onClick={() => setAsTable(true)}>
                Table
              </button>
            </div>
          )}
          {csv ? (
            <CsvButton path={csv.path} name={csv.name} picture={saved} />
          ) : (
            saved && <SaveButton name={saved.name} picture={saved} label={words.save.pngLabel(title)} />
          )}
        </div>
      </header>
      {hint !== undefined && <p className="hint">{hint}</p>}
      {shown === undefined ? table : <div data-picture={id}>{shown}</div>}
      {children}
    </section>
  )
}

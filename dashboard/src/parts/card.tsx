import { useId, useState, type ReactNode } from 'react'
import { CsvButton } from './csv-button.tsx'

interface Props {
  title: string
  hint?: string
  /** the report to download */
  csv?: { path: string; name: string }
  picture?: ReactNode
  table?: ReactNode
  /** half the page if missing */
  size?: 'wide' | 'third'
  stale?: boolean
  children?: ReactNode
}

/** A titled card with a chart, a table of the same numbers, or both. */
export function Card({ title, hint, csv, picture, table, size, stale = false, children }: Props): ReactNode {
  const id = useId()
  const [asTable, setAsTable] = useState(false)
  const both = picture !== undefined && table !== undefined
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
          {csv && <CsvButton path={csv.path} name={csv.name} />}
        </div>
      </header>
      {hint !== undefined && <p className="hint">{hint}</p>}
      {both ? (asTable ? table : picture) : (picture ?? table)}
      {children}
    </section>
  )
}

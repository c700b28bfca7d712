import { useState, type ReactNode } from 'react'
import { MiddleCut } from './middle-cut.tsx'

export interface Column<Row> {
  readonly name: string
  readonly value: (row: Row) => string
  /** the full text of a shortened `value` */
  readonly title?: (row: Row) => string
  readonly numeric?: boolean
  /** where a text that is too long is cut: at its end if missing */
  readonly cut?: 'middle'
  /** length of the bar behind the cell, from 0 to 1 */
  readonly bar?: (row: Row) => number
}

interface Props<Row> {
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  rowKey: (row: Row) => string
  /** number of rows shown until the user asks for all */
  first?: number
  empty?: string
}

/** Shows rows as a table. Cells are always text, whatever an event contains. */
export function DataTable<Row>({
  caption,
  columns,
  rows,
  rowKey,
  first = 12,
  empty = 'No data in this range.',
}: Props<Row>): ReactNode {
  const [isExpanded, setExpanded] = useState(false)
  if (rows.length === 0) return <p className="nothing">{empty}</p>
  const shown = isExpanded ? rows : rows.slice(0, first)
  return (
    <>
      <div className="table-scroll" tabIndex={0} role="region" aria-label={caption}>
        <table>
          <caption className="unseen">{caption}</caption>
          <thead>
            <tr>
              {columns.map(({ name, numeric }, index) => (
                <th key={index} scope="col" className={numeric ? 'number' : undefined}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={rowKey(row)}>
                {columns.map((column, index) => (
                  <Cell key={index} column={column} row={row} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > first && (
        <button type="button" className="quiet" onClick={() => setExpanded(!isExpanded)}>
          {isExpanded ? `Show the first ${first}` : `Show all ${rows.length}`}
        </button>
      )}
    </>
  )
}

function Cell<Row>({ column: { value, title, numeric, cut, bar }, row }: { column: Column<Row>; row: Row }): ReactNode {
  const text = value(row)
  const whole = title?.(row) ?? (numeric ? undefined : text)
  const shown = cut === 'middle' ? <MiddleCut text={text} {...(whole === undefined ? {} : { title: whole })} /> : text
  if (!bar)
    return (
      <td className={numeric ? 'number' : undefined} title={whole}>
        {shown}
      </td>
    )
  const percent = Math.round(Math.min(1, Math.max(0, bar(row))) * 1000) / 10
  return (
    <td className="bar" title={whole}>
      <span className="bar-track">
        <span className="bar-fill" style={{ width: `${percent}%` }} />
      </span>
      <span className="bar-text">{shown}</span>
    </td>
  )
}

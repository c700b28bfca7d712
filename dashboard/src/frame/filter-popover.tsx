import { useDeferredValue, useState, type ReactNode } from 'react'
import type { Meta, Value } from '@hopper/contracts'
import { reportPath } from '../api/paths.ts'
import { useReport } from '../api/use-report.ts'
import { formatCount } from '../format/numbers.ts'
import { ReportView } from '../parts/states/report-view.tsx'
import { SearchField } from '../parts/search-field.tsx'
import { Skeleton } from '../parts/states/skeleton.tsx'
import type { Chip } from '../state/filters.ts'
import { useScope } from '../state/scope.tsx'
import { keyName, keyOrder, words } from '../words.ts'

type Keys = { rows: readonly { key: string }[]; meta: Meta }
type Values = { rows: readonly { value: Value; events: number }[]; more: boolean; meta: Meta }

/** Chooses a property that was seen in the range, then one of its values. */
export default function FilterPopover({ choose }: { choose: (chip: Chip) => void }): ReactNode {
  const [key, setKey] = useState<string>()
  const [not, setNot] = useState(false)
  if (key === undefined) return <KeyList choose={setKey} />
  return (
    <>
      <div className="row">
        <button type="button" className="small" onClick={() => setKey(undefined)}>
          {words.bar.back}
        </button>
        <b>{keyName(key)}</b>
        <div className="switch" role="group" aria-label={words.bar.filter}>
          <button type="button" aria-pressed={!not} onClick={() => setNot(false)}>
            {words.bar.is}
          </button>
          <button type="button" aria-pressed={not} onClick={() => setNot(true)}>
            {words.bar.isNot}
          </button>
        </div>
      </div>
      <ValueList keyName={key} choose={(value) => choose({ key, value, ...(not ? { not: true } : {}) })} />
    </>
  )
}

/** Chooses one of the properties that events of the range have. */
export function KeyList({ choose }: { choose: (key: string) => void }): ReactNode {
  const { app, range } = useScope()
  const [search, setSearch] = useState('')
  const report = useReport<Keys>(reportPath(app.id, 'keys', range, { prefix: '' }))
  const wanted = search.trim().toLowerCase()
  return (
    <>
      <SearchField label={words.bar.searchKeys} value={search} set={setSearch} autoFocus />
      <ReportView report={report} skeleton={<Skeleton height={240} width={240} />}>
        {({ rows }) => {
          const found = keyOrder(rows.map((row) => row.key)).filter(
            (key) => key.toLowerCase().includes(wanted) || keyName(key).toLowerCase().includes(wanted),
          )
          return (
            <div className="options tall">
              {found.map((key) => (
                <button key={key} type="button" onClick={() => choose(key)}>
                  <bdi className="cut">{keyName(key)}</bdi>
                </button>
              ))}
              {found.length === 0 && <p className="nothing">{words.bar.noKeys}</p>}
            </div>
          )
        }}
      </ReportView>
    </>
  )
}

function ValueList({ keyName, choose }: { keyName: string; choose: (value: string) => void }): ReactNode {
  const { app, range } = useScope()
  const [search, setSearch] = useState('')
  const prefix = useDeferredValue(search)
  const report = useReport<Values>(
    reportPath(app.id, `keys/${encodeURIComponent(keyName)}/values`, range, prefix === '' ? {} : { prefix }),
  )
  return (
    <>
      <SearchField label={words.bar.searchValues} value={search} set={setSearch} autoFocus />
      <ReportView report={report} skeleton={<Skeleton height={240} width={240} />}>
        {({ rows }) => (
          <div className="options tall">
            {rows.map(({ value, events }) => (
              <button key={String(value)} type="button" onClick={() => choose(String(value))}>
                <bdi className="cut">{String(value)}</bdi>
                <span className="hint number end">{formatCount(events)}</span>
              </button>
            ))}
            {rows.length === 0 && <p className="nothing">{words.bar.noValues}</p>}
          </div>
        )}
      </ReportView>
    </>
  )
}

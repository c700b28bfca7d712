import type { ReactNode } from 'react'
import { SearchField } from '../../parts/search-field.tsx'
import type { Sender } from '../../state/search.ts'
import { useSearchState } from '../../state/use-search.ts'
import { liveWords } from './live-words.ts'

interface Props {
  typed: string
  setTyped: (text: string) => void
}

/** Search, kind and sender; all of them are in the address, too. */
export function LiveFilters({ typed, setTyped }: Props): ReactNode {
  const { search, change } = useSearchState()
  return (
    <div className="row live-tools">
      <SearchField
        label={liveWords.search}
        value={typed}
        set={(next) => {
          setTyped(next)
          change({ q: next.trim() === '' ? undefined : next.trim() }, { replace: true })
        }}
      />
      <label className="inline">
        {liveWords.kind}
        <select
          value={search.kind ?? ''}
          onChange={({ target: { value } }) => change({ kind: value === '' ? undefined : value }, { replace: true })}
        >
          <option value="">{liveWords.anyKind}</option>
          {Object.entries(liveWords.kinds).map(([kind, name]) => (
            <option key={kind} value={kind}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label className="inline">
        {liveWords.from}
        <select
          value={search.sender ?? ''}
          onChange={({ target: { value } }) =>
            change({ sender: value === '' ? undefined : (value as Sender) }, { replace: true })
          }
        >
          <option value="">{liveWords.senders.all}</option>
          <option value="people">{liveWords.senders.people}</option>
          <option value="robots">{liveWords.senders.robots}</option>
        </select>
      </label>
    </div>
  )
}
